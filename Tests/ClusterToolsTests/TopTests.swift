import Testing

@testable import ClusterTools

@Suite struct TopTests {
    /// Lines as `sample.sh` prints them, without the tag.
    private func samples(_ text: String, hasScheduler: Bool = false) -> [NodeSample] {
        var reader = SampleReader(hasScheduler: hasScheduler)
        return text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            return reader.read(key: parts[0], value: parts.count > 1 ? parts[1] : "")
        }
    }

    private let two = """
        cores n1 4
        clock n1 100 4096
        allowed n1 500
        at n1 1000.50
        cpu n1 5000 10000
        load n1 2.5
        memory n1 MemTotal: 1000000
        memory n1 MemAvailable: 600000
        process n1 71 R 1000 90000 1000 2 a (b) c
        process n1 72 S 5 95000 10 1 slurmstepd
        process n1 nonsense
        command n1 71 ada python train.py
        end n1
        at n1 1002.50
        cpu n1 5300 10400
        process n1 71 R 1300 90000 2000 2 a (b) c
        process n1 80 S 50 100100 100 1 new
        end n1

        """

    @Test func ratesComeFromTwoSamples() throws {
        let samples = samples(two)
        #expect(samples.count == 2)
        #expect(samples[0].processes.map(\.id) == [71])
        #expect(samples[0].memoryLimit == 500 << 20)
        #expect(samples[0].memory == .init(total: 1_000_000 << 10, free: 600_000 << 10))
        var use = NodeUse(samples[0])
        #expect(use.cores == nil)
        use.take(samples[1])
        #expect(use.shares == [71: 1.5, 80: 0.25])
        #expect(use.cores == 1.75)
        #expect(use.node == 0.75)
        #expect(use.coresHistory == [1.75])
        #expect(use.memoryHistory == [4_096_000, 8_601_600])
        #expect(use.processes(by: .processor).map(\.id) == [71, 80])
        #expect(samples[1].processes.map(\.command) == ["python train.py", "[new]"])
        #expect(samples[1].processes[0].user == "ada")
    }

    @Test func aNumberThatIsAnotherProcessByNow() throws {
        let later = """
            at n1 1004.50
            process n1 71 R 10 100300 100 1 other
            end n1
            """
        let samples = samples(two + later)
        var use = NodeUse(samples[0])
        use.take(samples[1])
        use.take(samples[2])
        // All that it has used since it began.
        #expect(use.shares == [71: 0.05])
        // The node was started anew.
        use.take(samples[0])
        #expect(use.cores == nil)
    }

    @Test func nodesSpeakInAnyOrder() {
        let text = "at a 1\nat b 2\nload a 1.5\nend b\nload b 9\nend a\nat\nend\nend c\n"
        let found = samples(text)
        #expect(found.map(\.node) == ["b", "a"])
        #expect(found.map(\.load) == [nil, 1.5])
    }

    @Test(arguments: ["9223372036854775807", "9223372036854771712", "max", ""]) func aLimitThatIsNone(text: String) {
        let found = samples("memory n1 MemTotal: 1000\nat n1 1\nlimit n1 \(text)\nend n1\n")
        #expect(found.first?.memoryLimit == nil)
    }

    @Test func theGPUsOfTheJob() throws {
        let lines = try recording("nvidia-smi-a5000-2.xml").map { "gpu n1 \($0)\n" }.joined()
        func indices(_ more: String, hasScheduler: Bool = true) -> [Int]? {
            samples(more + "at n1 1\n" + lines + "end n1\n", hasScheduler: hasScheduler).first?.gpus.map(\.index)
        }
        #expect(indices("devices n1 1\n") == [1])
        #expect(indices("devices n1 0,1\n") == [0, 1])
        #expect(indices("devices n1 GPU-12345678-aaaa-bbbb-cccc-0123456789cd\n") == [1])
        #expect(indices("devices n1 \n") == [])
        // Without a word of whose they are.
        #expect(indices("") == [])
        #expect(indices("process n1 100477 R 1 1 1 1 x\n") == [0, 1])
        #expect(indices("", hasScheduler: false) == [0, 1])
    }

    @Test(arguments: [
        (true, "  ▁▁▂▄█"), (false, "  __.-#"),
    ]) func pictures(isUnicode: Bool, expected: String) {
        let style = TerminalStyle(isUnicode: isUnicode, isColoured: false, hasCursor: true)
        #expect(style.sparkline([0, 0.4, 1, 2, 4], top: 4, width: 7) == expected)
        #expect(style.sparkline([9, 9, 9], top: 1, width: 2).count == 2)
        #expect(
            style.sparkline([1, 2], top: 0, width: 2) == String(expected.dropFirst(2).prefix(1))
                + String(expected.dropFirst(2).prefix(1)))
        #expect(style.sparkline([1], top: 1, width: 0) == "")
    }

    @Test func aTableForAnySize() {
        var use = NodeUse(samples(two)[0])
        use.take(samples(two)[1])
        let entry = TopTable.Entry(title: "4242", words: "project on fir: running 12 min", nodes: [use])
        let style = TerminalStyle(isUnicode: true, isColoured: false, hasCursor: true)
        let plain = TopTable(style: style, width: nil, pictureWidth: 0)
        #expect(
            plain.lines([entry]) == [
                "job 4242 project on fir: running 12 min",
                "CPU   175 % of 4 cores          n1, node 75 %",
                "MEM   8.6 MB of 524 MB",
                "    PID USER  CPU %  MEMORY     TIME COMMAND",
                "     71 ada   150.0  8.2 MB     0:13 python train.py",
                "     80 -      25.0  410 kB     0:00 [new]",
            ])
        for width in [1, 5, 20, 40, 79, 80, 200] {
            for rows in [1, 2, 3, 4, 5, 6, 50] {
                for isColoured in [false, true] {
                    let style = TerminalStyle(isUnicode: false, isColoured: isColoured, hasCursor: true)
                    let lines = TopTable.forScreen(style, width: width).lines([entry, entry], rows: rows)
                    #expect(lines.count <= rows)
                    for line in lines {
                        let shown = line.replacing(#/\x{1B}\[[0-9;]*m/#, with: "")
                        #expect(shown.count <= width)
                        #expect(shown.allSatisfy { $0.isASCII })
                    }
                }
            }
        }
    }

    @Test func whatATerminalCanShow() {
        func style(_ environment: [String: String]) -> TerminalStyle { TerminalStyle(environment: environment) }
        #expect(
            style(["TERM": "xterm", "LANG": "C.UTF-8"]) == .init(isUnicode: true, isColoured: true, hasCursor: true))
        #expect(style(["TERM": "xterm", "LANG": "de_DE.utf8", "LC_ALL": "C"]).isUnicode == false)
        #expect(style(["TERM": "xterm", "NO_COLOR": "1"]).isColoured == false)
        #expect(style(["TERM": "dumb", "LANG": "C.UTF-8"]).hasCursor == false)
        #expect(style([:]).hasCursor == false)
    }
}
