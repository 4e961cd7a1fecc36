import ClusterTools

// ssh starts this program once more when it has to ask something.
if let status = await AskPass.run() { endProcess(status: status) }
endProcess(status: await SubmitCommand.main())
