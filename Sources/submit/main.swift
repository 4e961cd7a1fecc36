import ClusterTools

endProcess(status: await SubmitCommand.main())
