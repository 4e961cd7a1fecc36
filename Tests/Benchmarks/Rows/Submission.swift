import Foundation

/// From Enter to the number of a job, and what it takes on the way.
extension Benchmark {
    /// A repository of 200 files, three of them changed, over a link of this length, in milliseconds.
    static func submission(roundTrip: Int) -> Benchmark {
        .init(
            name: "submission-\(roundTrip)ms", summary: "Enter to job id, 200 files, 3 of them changed, \(roundTrip) ms"
        ) {
            laboratory in
            let cluster = try await laboratory.cluster()
            let repository = try await laboratory.makeRepository("project")
            try await repository.fill(files: 200, ofSize: 4000)
            return try await laboratory.withLink(to: cluster, roundTrip: .milliseconds(roundTrip)) { _, access in
                let profile = try cluster.writeProfile(access, in: laboratory.home)
                let result = try await interleaved(laboratory.repetitions) {
                    try repository.change(3)
                    return try await repository.submit(profile).seconds
                } theirs: {
                    try repository.change(3)
                    return try await repository.submitByHand(cluster, access).seconds
                }
                return [
                    Row(
                        what: "Enter to job id, 200 files, 3 changed, \(roundTrip) ms round trip",
                        against: "git archive | gzip -1 | ssh 'tar xz && sbatch'",
                        goal: .ratioAtMost(roundTrip == 0 ? 0.8 : 0.75), unit: .seconds, ours: result.ours,
                        theirs: result.theirs)
                ]
            }
        }
    }

    static let roundTrips: Benchmark = .init(name: "round-trips", summary: "round trips from TCP connect to job id") {
        laboratory in
        let cluster = try await laboratory.cluster()
        let repository = try await laboratory.makeRepository("project")
        try await repository.fill(files: 200, ofSize: 4000)
        // Long enough for what belongs together to arrive together.
        return try await laboratory.withLink(to: cluster, roundTrip: .milliseconds(100), isCounted: true) {
            link, access in
            let profile = try cluster.writeProfile(access, in: laboratory.home)
            func turns(_ body: () async throws -> Void) async throws -> Double {
                let before = link.traffic.turns
                try repository.change(3)
                try await body()
                return Double(link.traffic.turns - before)
            }
            let result = try await interleaved(laboratory.fewRepetitions) {
                try await turns { try await repository.submit(profile) }
            } theirs: {
                try await turns { try await repository.submitByHand(cluster, access) }
            }
            return [
                // The end of the session is one turn more, after the job's number.
                Row(
                    what: "times that it speaks after it has heard, of the whole session",
                    against: "the same by hand, with ssh", goal: .atMost(9), unit: .count, ours: result.ours,
                    theirs: result.theirs)
            ]
        }
    }

    /// 1 GB in 20,000 files, half of it not to be compressed, over 1 Gbit/s; and then again, with one small file changed.
    static let bulk: Benchmark = .init(
        name: "bulk", summary: "1 GB in 20,000 files, first and second submission, 1 Gbit/s"
    ) {
        laboratory in
        let cluster = try await laboratory.cluster()
        let repository = try await laboratory.makeRepository("bulk")
        try repository.write(files: 20_000, bytes: 1_000_000_000)
        try await repository.git("add", "--all")
        try await repository.git("commit", "--quiet", "--message", "First")
        return try await laboratory.withLink(
            to: cluster, roundTrip: .milliseconds(0), rate: 125e6, isCounted: true
        ) { link, access in
            let profile = try cluster.writeProfile(access, in: laboratory.home)
            let first = try await firstSubmissions(repository, cluster, access, profile, laboratory)
            let second = try await secondSubmissions(repository, cluster, access, profile, link, laboratory)
            return [first, second]
        }
    }

    private static func firstSubmissions(
        _ repository: Repository, _ cluster: DemoCluster, _ access: DemoCluster.Access, _ profile: String,
        _ laboratory: Laboratory
    ) async throws -> Row {
        var memory = Series()
        let usage = laboratory.folder + "/usage"
        let result = try await interleaved(laboratory.fewRepetitions) {
            try repository.forgetWhatWasSent(on: access)
            let seconds = try await repository.submit(profile, measuredInto: usage).seconds
            memory.values.append(try MeasuredChild.peakMemory(from: usage))
            try await repository.waitUntilKept(on: access)
            return seconds
        } theirs: {
            let run = "\(access.folder)/by-hand/\(UUID().uuidString)"
            return try await repository.script(
                "tar c --exclude=.git . | zstd -q -3 -T0 | \(repository.sshWords(access)) "
                    + "'mkdir -p \(run) && cd \(run) && zstd -dcq | tar x'"
            ).seconds
        }
        return Row(
            what: "first submission of 1 GB, 20,000 files, 1 Gbit/s", against: "tar | zstd -3 -T0 | ssh 'tar x'",
            goal: .ratioAtMost(1), unit: .seconds, ours: result.ours, theirs: result.theirs,
            details: [
                Detail(name: "peak memory", value: memory.values.max() ?? 0, unit: .bytes, limit: 100e6)
            ])
    }

    private static func secondSubmissions(
        _ repository: Repository, _ cluster: DemoCluster, _ access: DemoCluster.Access, _ profile: String, _ link: Link,
        _ laboratory: Laboratory
    ) async throws -> Row {
        var sent = Series()
        let folder = try repository.makeFolderForRsync(on: access)
        let result = try await interleaved(laboratory.fewRepetitions) {
            try repository.change(1)
            let before = link.traffic.sent
            let seconds = try await repository.submit(profile).seconds
            sent.values.append(Double(link.traffic.sent - before))
            try await repository.waitUntilKept(on: access)
            return seconds
        } theirs: {
            try repository.change(1)
            return try await repository.submitByRsync(into: folder, on: access).seconds
        }
        return Row(
            what: "second submission, one small file changed", against: "rsync -a --delete + ssh sbatch",
            goal: .ratioAtMost(0.3), unit: .seconds, ours: result.ours, theirs: result.theirs,
            details: [
                Detail(name: "sent", value: sent.median ?? 0, unit: .bytes, limit: 200e3)
            ])
    }

    static let growthOfSubmissions = Benchmark(
        name: "growth-submissions", summary: "first and second submission of 1,000 to 100,000 files"
    ) { laboratory in
        let cluster = try await laboratory.cluster()
        let profile = try cluster.writeProfile(cluster.access, in: laboratory.home)
        var rows: [Row] = []
        for count in [1000, 10_000, 100_000] {
            let repository = try await laboratory.makeRepository("growth")
            try await repository.fill(files: count, ofSize: 1000)
            let folder = try repository.makeFolderForRsync(on: cluster.access)
            for (title, times) in [("first submission", 1), ("second submission", laboratory.fewRepetitions)] {
                rows.append(
                    try await repository.submissionRow(title, of: count, times, cluster.access, profile, rsync: folder))
            }
        }
        return rows
    }
}

extension Repository {
    /// Changes so many files, each in a way of its own.
    fileprivate func change(_ count: Int) throws {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
            .lazy.filter { !$0.hasPrefix(".git") && $0.hasSuffix(".txt") }.prefix(count)
        for path in paths { try write(path, Array("changed \(UInt64.random(in: 0...UInt64.max))\n".utf8)) }
    }

    /// Submits, and leaves the job alone.
    @discardableResult
    fileprivate func submit(_ profile: String, measuredInto file: String? = nil) async throws -> Command.Finished {
        let arguments = ["-q", "-c", profile, "--no-tensorboard", "--detach", "true"]
        let (program, words) =
            file.map { MeasuredChild.words(Programs.submit, arguments, into: $0) } ?? (Programs.submit, arguments)
        return try await Command(laboratory: laboratory, program: program, arguments: words, directory: folder)
            .run(within: .seconds(600))
    }

    /// As a user does without it: an index of its own, one archive, one login.
    @discardableResult
    fileprivate func submitByHand(
        _ cluster: DemoCluster, _ access: DemoCluster.Access
    ) async throws -> Command.Finished {
        let run = "\(access.folder)/by-hand/\(UUID().uuidString)"
        return try await script(
            """
            export GIT_INDEX_FILE=.git/by-hand
            cp .git/index $GIT_INDEX_FILE && git add -A && tree=$(git write-tree) && git archive $tree | gzip -1 |
            \(sshWords(access)) 'mkdir -p \(run) && cd \(run) && tar xz && sbatch --parsable --output=/dev/null --wrap=true'
            """)
    }

    /// As a user does who keeps one folder there.
    fileprivate func submitByRsync(
        into folder: String, on access: DemoCluster.Access
    ) async throws -> Command.Finished {
        try await script(
            "rsync -a --delete --exclude=.git -e \"\(sshWords(access, host: false))\" ./ "
                + "\(access.hostname):\(folder)/ && \(sshWords(access)) 'cd \(folder) && sbatch --parsable --output=/dev/null --wrap=true'"
        )
    }

    fileprivate func makeFolderForRsync(on access: DemoCluster.Access) throws -> String {
        let folder = "\(access.folder)/by-hand/\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// Submissions with one changed file, beside rsync into a folder that has what it was given last.
    fileprivate func submissionRow(
        _ title: String, of count: Int, _ times: Int, _ access: DemoCluster.Access, _ profile: String,
        rsync folder: String
    ) async throws -> Row {
        let usage = laboratory.folder + "/usage"
        var (ours, theirs, memory) = (Series(), Series(), Series())
        for _ in 0..<times {
            try change(1)
            ours.values.append(try await submit(profile, measuredInto: usage).seconds)
            memory.values.append(try MeasuredChild.peakMemory(from: usage))
            try await waitUntilKept(on: access)
            try change(1)
            theirs.values.append(try await submitByRsync(into: folder, on: access).seconds)
        }
        let peak = memory.values.max() ?? 0
        return Row(
            what: "\(title) of \(count) files", against: "rsync && ssh sbatch", goal: .none, unit: .seconds, ours: ours,
            theirs: theirs, details: [Detail(name: "peak memory", value: peak, unit: .bytes)],
            growth: Growth(title: title, axis: "files", count: count, memory: peak))
    }

    fileprivate func script(_ text: String) async throws -> Command.Finished {
        try await Command(
            laboratory: laboratory, program: "bash", arguments: ["-c", "set -o pipefail; " + text], directory: folder
        ).run(within: .seconds(600))
    }

    fileprivate func sshWords(_ access: DemoCluster.Access, host: Bool = true) -> String {
        (["ssh"] + DemoCluster.sshOptions(access) + (host ? [access.hostname] : [])).joined(separator: " ")
    }

    private func pool(on access: DemoCluster.Access) -> String {
        "\(access.folder)/.snapshots/\(URL(filePath: folder).lastPathComponent)"
    }

    /// What is not measured: the cluster makes its copies of what it was sent.
    fileprivate func waitUntilKept(on access: DemoCluster.Access) async throws {
        for _ in 0..<1200 {
            if FileManager.default.fileExists(atPath: pool(on: access)) {
                let names = try FileManager.default.contentsOfDirectory(atPath: pool(on: access))
                if names.contains(where: { $0.contains(".spare-") }),
                    !names.contains(where: { $0.hasPrefix(".making-") })
                {
                    return
                }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchmarkError("what was sent is not kept in \(pool(on: access))")
    }

    /// The next submission is a first one.
    ///
    /// Nothing is removed: for some minutes ext4 passes over the inodes of removed files one by one when it looks for free ones,
    /// which makes whoever unpacks an archive then half as fast.
    fileprivate func forgetWhatWasSent(on access: DemoCluster.Access) throws {
        for path in [pool(on: access), laboratory.home + "/.local/state/cluster-tools/sent"]
        where FileManager.default.fileExists(atPath: path) {
            try FileManager.default.moveItem(atPath: path, toPath: "\(access.folder)/.forgotten-\(UUID().uuidString)")
        }
    }

    /// Files of which a tenth has most of the bytes that nothing makes fewer, and the others are like source code: half and half.
    fileprivate func write(files count: Int, bytes: Int) throws {
        let (large, small) = (bytes / 2 / (count / 10), bytes / 2 / (count - count / 10))
        var generator = SystemRandomNumberGenerator()
        for index in 0..<count {
            if index % 100 == 0 {
                try FileManager.default.createDirectory(
                    atPath: folder + "/" + URL(filePath: path(of: index)).deletingLastPathComponent().relativePath,
                    withIntermediateDirectories: true)
            }
            if index % 10 == 0 {
                let words = (0..<(large / 8)).map { _ in UInt64.random(in: 0...UInt64.max, using: &generator) }
                try write(path(of: index) + ".bin", words.withUnsafeBytes { Array($0) })
            } else {
                try write(path(of: index), text(index, ofSize: small))
            }
        }
    }
}
