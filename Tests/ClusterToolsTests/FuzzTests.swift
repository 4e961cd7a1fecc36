import Slurm
import Testing

@testable import ClusterTools
@testable import SSH

/// Damaged input of every kind that others write: it is an error or is passed over, never a crash, and never a reason to trust.
@Suite(.timeLimit(.minutes(1))) struct FuzzTests {
    private static let rounds = 3000

    /// The same in every run (SplitMix64), so that a failure can be seen again.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// Damages a text in a few places, `rounds` times over.
    private func damage(_ text: String, _ body: ([UInt8]) -> Void) {
        var dice = Dice(state: 42)
        let original = Array(text.utf8)
        let telling = Array("\0\n\r\"\\{}[]|:,@*!-= \t9%~$\u{7F}é".utf8)
        for _ in 0..<Self.rounds {
            var bytes = original
            for _ in 0..<Int.random(in: 1...6, using: &dice) {
                let place = Int.random(in: 0...bytes.count, using: &dice)
                switch Int.random(in: 0..<5, using: &dice) {
                case 0: bytes.insert(telling[Int.random(in: telling.indices, using: &dice)], at: place)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &dice), at: place)
                case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0...8, using: &dice)))
                case 3: bytes.removeSubrange(place...)
                default: bytes.insert(contentsOf: bytes.prefix(place).suffix(20), at: place)
                }
            }
            body(bytes)
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func key(_ fill: UInt8) -> HostKey? {
        var blob = PacketWriter()
        blob.string("ssh-ed25519")
        blob.string([UInt8](repeating: fill, count: 32))
        return HostKey(blob: blob.bytes)
    }

    @Test func knownHosts() throws {
        let recorded = try #require(key(1)), foreign = try #require(key(2))
        let file = """
            fir,*.example.org,!bad.example.org \(recorded.line)
            [fir]:2222 \(recorded.line) a comment
            |1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|BBBBBBBBBBBBBBBBBBBBBBBBBBB= \(recorded.line)
            @revoked * \(recorded.line)
            @cert-authority * \(foreign.line)

            """
        damage(file) { bytes in
            var known = KnownHosts()
            known.add(file: "f", text: text(bytes))
            for (host, port) in [("fir", UInt16(22)), ("fir", 2222), ("bad.example.org", 22), ("", 1)] {
                // Whatever the damage: the authority's key is no host's key.
                let verdict = known.verdict(on: foreign, host: host, port: port, alias: nil)
                if verdict == .known, text(bytes).contains("@cert-authority * ") { Issue.record("\(text(bytes))") }
                _ = known.keyTypes(host: host, port: port, alias: "fir")
            }
        }
    }

    @Test func sshConfigurations() {
        let output = """
            host fir
            user ada
            hostname fir.example.org
            port 2222
            proxyjump bob@gate:22,[::1]:23,ssh://x%40y@h
            identityfile ~/.ssh/%r@%h
            userknownhostsfile /a /b
            stricthostkeychecking accept-new
            serveraliveinterval 15
            connecttimeout none

            """
        damage(output) { bytes in
            do { _ = try HostConfiguration(output: text(bytes), name: "fir") } catch {}
        }
    }

    @Test func profiles() {
        let profile = """
            {"hostname": "fir", "port": 22, "user": "ada", "sbatch_options": {"--mem": "12G", "-c": 4, "--x": null},
             "environment": {"A": "$HOME/b"}, "activate_python": ["a", "b"], "tunnel": {"way": "ssh", "port": 22},
             "untar_path": "~/runs", "transport": "openssh"}
            """
        damage(profile) { bytes in
            do { _ = try Profile(json: bytes, path: "/p.json", home: "/home/ada") } catch {}
        }
    }

    @Test func queueLines() {
        damage("4242_[1-7,9%2]|RUNNING|None|n1|n[1-2]|1700000000|1700003600|1-59:30:11|0:30|gpu") { bytes in
            do { _ = try QueueLine(text(bytes)) } catch {}
        }
    }

    @Test func probes() throws {
        let line = "debug*" + String(repeating: " ", count: 54) + "up        1         mixed               1/7/0/8"
        damage(line + String(repeating: " ", count: 33) + "gpu:a100:4(S:0-1)") { bytes in
            do { _ = PartitionUsage.all(in: [try PartitionLine(text(bytes))], pending: [:]) } catch {}
        }
        damage("gpu:a100:4(S:0-1),gpu:h100_1g.10gb:7,shard:2K(IDX:0,3)") { bytes in
            let gpus = GenericResources(text(bytes)).gpus
            _ = gpus.map { GenericResources.memory(ofType: $0.type) }
        }
        // One GPU of those that are recorded is enough: each round reads all of it.
        let recorded = try recording("nvidia-smi-gt1030.xml").joined(separator: "\n")
        damage(recorded) { bytes in
            let lines = text(bytes).split(separator: "\n").map(String.init)
            _ = GPUReader.gpus(in: lines, owners: [:], listing: lines)
        }
        let answer = """
            @tag host n1
            @tag cores 16
            @tag load { 1.20 1.10 1.00 }
            @tag memory MemTotal 24684096
            @tag disk 264212084 80129920
            @tag owner 17 ada
            @tag pending   3 debug

            """
        damage(answer) { bytes in
            var decoder = AnswerDecoder(tag: "@tag")
            decoder.feed(bytes)
            var answer = Answer()
            while let item = decoder.next() {
                if case .line(let key, let value) = item { answer.lines.append((key, value)) }
            }
            _ = MachineReport(answer).freeCores
        }
        damage("gpu-memory=1.5G,disk=3G,cpus=4") { bytes in
            do { _ = try Need(text(bytes)) } catch {}
        }
    }

    @Test func answersAndStateFiles() {
        let answer = """

            @tag file state running

            @tag file tensorboard 6006 0123abcd

            @tag out 3 9223372036854775807
            abc
            @tag done files

            """
        damage(answer) { bytes in
            var decoder = AnswerDecoder(tag: "@tag")
            decoder.feed(bytes)
            var lines: [String] = []
            while let item = decoder.next() {
                if case .line("file", let value) = item { lines.append(value) }
            }
            let files = StateFiles(lines: lines)
            _ = (
                files.address(of: .tensorboard)?.port, files.address(of: .notebook)?.secret, files.exit, files.start,
                files.restarts, files.outputOffset
            )
            _ = Ending(state: nil, files: files)
        }
    }

    @Test func records() {
        let record = """
            {"version": 2, "token": "abc", "name": "n", "phase": "submitted", "id": "42", "run": "/r", "runName": "r",
             "project": "p", "commit": "c", "repository": "/w", "command": ["a"], "isArray": false,
             "hasTensorBoard": true, "submitted": 1700000000}
            """
        damage(record) { bytes in
            do { _ = try Job(record: bytes, document: "abc.json") } catch {}
        }
    }
}
