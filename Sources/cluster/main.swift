import ClusterTools

endProcess(status: await ClusterCommand.main())
