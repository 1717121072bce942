# The C++ library for other projects: headers, archive, and what find_package(spinodal) reads.
include(CMakePackageConfigHelpers)
set(spinodal_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/spinodal)

install(TARGETS spinodal EXPORT spinodal-targets COMPONENT library)
install(DIRECTORY cpp/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(EXPORT spinodal-targets NAMESPACE spinodal:: DESTINATION ${spinodal_cmake_dir} COMPONENT library)

configure_package_config_file(cmake/spinodal-config.cmake.in ${PROJECT_BINARY_DIR}/spinodal-config.cmake
                              INSTALL_DESTINATION ${spinodal_cmake_dir})
# Below 1.0 a minor release may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/spinodal-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/spinodal-config.cmake ${PROJECT_BINARY_DIR}/spinodal-config-version.cmake
        DESTINATION ${spinodal_cmake_dir} COMPONENT library)
