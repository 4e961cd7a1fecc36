import Foundation
import IO

/// The command line: which benchmarks to run, and where the results go.
struct BenchmarkCommand {
    private var names: [String] = []
    private var jsonPath: String?
    private var picturePath: String?
    private var repetitions = 5
    private var isList = false

    private static let help = """
        Usage: Tests/Benchmarks/run [options] [NAME...]

        Measures submit beside what a user could do without it, in turn, in one run, and prints medians and ratios. No
        NAME means all of them; a NAME also stands for all that begin with it.

        Options:
          --list         what there is
          --json FILE    writes all numbers there too
          --picture FILE draws how cost grows, of those whose names begin with growth, as an SVG
          --times N      how often each of both sides is measured (default 5); long ones are measured less often
          --help

        The exit status is 0 when everything could be measured, whatever came out.

        """

    private init(_ words: [String]) throws(UsageError) {
        var words = words[...]
        while let word = words.popFirst() {
            switch word {
            case "--list": isList = true
            case "--json", "--times", "--picture":
                guard let value = words.popFirst() else { throw UsageError(text: "\(word) needs a value") }
                if word == "--json" {
                    jsonPath = value
                } else if word == "--picture" {
                    picturePath = value
                } else {
                    guard let number = Int(value), (1...1000).contains(number) else {
                        throw UsageError(text: "--times needs a number from 1 to 1000, not '\(value)'")
                    }
                    repetitions = number
                }
            case _ where word.hasPrefix("-"): throw UsageError(text: "unknown option '\(word)'; see --help")
            default:
                guard Benchmark.all.contains(where: { $0.name.hasPrefix(word) }) else {
                    throw UsageError(text: "no benchmark '\(word)'; see --list")
                }
                names.append(word)
            }
        }
    }

    private struct UsageError: Error { var text: String }

    /// - Returns: the status to exit with.
    static func main() async -> Int32 {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.contains("--help") || words.contains("-h") {
            print(help, terminator: "")
            return 0
        }
        do {
            let command = try BenchmarkCommand(words)
            if command.isList {
                let width = Benchmark.all.map(\.name.count).max() ?? 0
                for benchmark in Benchmark.all {
                    print(benchmark.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + benchmark.summary)
                }
                return 0
            }
            let work = Task { await command.run() }
            // Children have sessions of their own: the terminal's Ctrl-C reaches this program alone, which ends them.
            let signals = [SIGINT, SIGTERM, SIGHUP].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { work.cancel() }
                source.resume()
                return source
            }
            defer { for source in signals { source.cancel() } }
            return await work.value
        } catch {
            say("Benchmarks: \(error.text)")
            return 64
        }
    }

    private func run() async -> Int32 {
        let chosen = Benchmark.all.filter { benchmark in
            names.isEmpty || names.contains { benchmark.name.hasPrefix($0) }
        }
        var report = Report()
        do {
            report = try await withLaboratory(repetitions: repetitions) { laboratory in
                var report = Report()
                for benchmark in chosen where !Task.isCancelled {
                    say("\(benchmark.name): \(benchmark.summary) …")
                    do {
                        report.add(try await benchmark.measure(laboratory), of: benchmark)
                    } catch is CancellationError {
                        break
                    } catch {
                        // One that cannot be measured is told, and the others are measured.
                        report.addFailure("\(error)", of: benchmark)
                    }
                }
                return report
            }
        } catch {
            say("Benchmarks: \(error)")
            return 70
        }
        if Task.isCancelled { say("Interrupted; what was measured until then:") }
        print(report.table, terminator: "")
        do {
            if let jsonPath { try report.json().write(to: URL(filePath: jsonPath)) }
            if let picturePath { try Data(Picture(rows: report.rows).svg.utf8).write(to: URL(filePath: picturePath)) }
        } catch {
            say("Benchmarks: \(error)")
            return 74
        }
        return Task.isCancelled ? 130 : report.hasFailures ? 1 : 0
    }
}

/// A line to whoever waits.
func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
