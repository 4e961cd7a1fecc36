import Foundation

// This program starts itself once more to learn what a child of its own has used.
if let status = MeasuredChild.runIfAsked(CommandLine.arguments) { exit(status) }
exit(await BenchmarkCommand.main())
