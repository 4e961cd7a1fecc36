import ClusterTools

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

exit(await ClusterCommand.main())
