import ClusterTools

endProcess(await SubmitCommand.main())
