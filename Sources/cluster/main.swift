import ClusterTools

endProcess(await ClusterCommand.main())
