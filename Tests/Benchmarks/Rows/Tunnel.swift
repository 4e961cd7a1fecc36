import IO

extension Benchmark {
    /// TensorBoard's tunnel, one stream and many.
    ///
    /// - Parameter roundTrip: to the access node, in milliseconds.
    static func tunnel(roundTrip: Int) -> Benchmark {
        Benchmark(
            name: "tunnel-\(roundTrip)ms", summary: "the tunnel to TensorBoard, at a round trip of \(roundTrip) ms"
        ) { laboratory in
            let cluster = try await laboratory.cluster()
            let server = try ByteServer(in: laboratory)
            return try await laboratory.withLink(to: cluster, roundTrip: .milliseconds(roundTrip)) { _, access in
                var access = access
                access.environment = server.environment
                let place = roundTrip == 0 ? "loopback" : "\(roundTrip) ms"
                let goal = roundTrip == 0 ? 1.0 : 3
                let rows = try await laboratory.withTunnels(on: cluster, over: access, place) { [access] pair in
                    // What libssh agrees on: the rest of the difference is the program's.
                    let same = ["-o", "Ciphers=aes128-gcm@openssh.com"]
                    return try await laboratory.withSSHForward(over: access, to: pair.origin.port, options: same) {
                        let same = RunningJob.Address(port: $0, path: pair.origin.path)
                        return try await [
                            pair.oneStream(.ratioAtLeast(goal)),
                            pair.compare("one stream, same algorithms", same, streams: 1, goal: .none),
                            pair.manyStreams(.ratioAtLeast(1)), pair.smallRequests(.ratioAtMost(2)),
                        ]
                    }
                }
                access.transport = "openssh"
                return try await rows
                    + laboratory.withTunnels(on: cluster, over: access, "\(place), transport openssh") {
                        try await [$0.oneStream(.none), $0.manyStreams(.none)]
                    }
            }
        }
    }

    /// The same over a link as people have them at home, where the download is what all else has to wait for.
    static let tunnelAtHome = Benchmark(
        name: "tunnel-home", summary: "the tunnel to TensorBoard, at a round trip of 50 ms and 100 Mbit/s"
    ) { laboratory in
        let cluster = try await laboratory.cluster()
        let server = try ByteServer(in: laboratory)
        return try await laboratory.withLink(to: cluster, roundTrip: .milliseconds(50), rate: 12.5e6) { _, access in
            var access = access
            access.environment = server.environment
            return try await laboratory.withTunnels(on: cluster, over: access, "50 ms, 100 Mbit/s") {
                try await [$0.oneStream(.none, bytes: 64_000_000), $0.smallRequests(.none)]
            }
        }
    }
}

extension Laboratory {
    /// Lends a job's tunnel, and that of `ssh -L` to the same server.
    ///
    /// - Parameter place: how the rows name the way to the access node.
    fileprivate func withTunnels(
        on cluster: DemoCluster, over access: DemoCluster.Access, _ place: String,
        _ body: @escaping @Sendable (TunnelPair) async throws -> [Row]
    ) async throws -> [Row] {
        try await withRunningJob(on: cluster, over: access) { job in
            let origin = try job.origin()
            return try await self.withSSHForward(over: access, to: origin.port) { port in
                try await body(
                    TunnelPair(
                        laboratory: self, origin: origin, ours: job.address,
                        theirs: RunningJob.Address(port: port, path: origin.path), place: place))
            }
        }
    }
}

/// The same server by two tunnels.
private struct TunnelPair: Sendable {
    let laboratory: Laboratory
    /// The server itself.
    let origin: RunningJob.Address
    /// Submit's, and that of ssh as it comes.
    let ours, theirs: RunningJob.Address
    let place: String

    /// Takes a second or two on a quick link.
    static let much = 256_000_000

    func oneStream(_ goal: Goal, bytes: Int = TunnelPair.much) async throws -> Row {
        try await compare("one stream", theirs, streams: 1, bytes: bytes, goal: goal)
    }

    func manyStreams(_ goal: Goal) async throws -> Row {
        try await compare("64 streams", theirs, streams: 64, goal: goal)
    }

    func compare(
        _ what: String, _ theirs: RunningJob.Address, streams: Int, bytes: Int = TunnelPair.much, goal: Goal
    ) async throws -> Row {
        let size = bytes / streams
        let result = try await interleaved(laboratory.fewRepetitions) {
            try await laboratory.rate(ours, streams: streams, size)
        } theirs: {
            try await laboratory.rate(theirs, streams: streams, size)
        }
        return Row(
            what: "tunnel, \(what), \(place)", against: "ssh -L", goal: goal, unit: .bytesPerSecond, ours: result.ours,
            theirs: result.theirs)
    }

    /// Small requests, alone and beside a download.
    func smallRequests(_ goal: Goal) async throws -> Row {
        let oursIdle = try await latencies(ours)
        let theirsIdle = try await latencies(theirs)
        let oursBusy = try await busyLatencies(ours)
        let theirsBusy = try await busyLatencies(theirs)
        var row = Row(
            what: "tunnel, small requests beside a bulk one, \(place)", against: "its own, idle", goal: goal,
            unit: .seconds, ours: oursBusy, theirs: oursIdle)
        row.details = [("ssh -L, idle", theirsIdle), ("ssh -L, beside a bulk one", theirsBusy)].compactMap {
            name, series in series.median.map { Detail(name: name, value: $0, unit: .seconds) }
        }
        return row
    }

    private func latencies(_ address: RunningJob.Address) async throws -> Series {
        try await laboratory.withByteClient(address) { client in
            var series = Series()
            for round in 0..<40 {
                let seconds = try await timed { try await client.fetch(1000) }
                if round >= 5 { series.values.append(seconds) }
                // A person's clicks, and not a bulk of their own.
                try await Task.sleep(for: .milliseconds(20))
            }
            return series
        }
    }

    private func busyLatencies(_ address: RunningJob.Address) async throws -> Series {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await laboratory.withByteClient(address) { client in
                    while true { try await client.fetch(1_000_000_000) }
                }
            }
            defer { group.cancelAll() }
            // Until it flows as it will.
            try await Task.sleep(for: .seconds(1))
            return try await latencies(address)
        }
    }
}

extension Laboratory {
    /// Bytes a second, of all streams together, from the first connection to the last byte.
    func rate(_ address: RunningJob.Address, streams: Int, _ size: Int) async throws -> Double {
        let seconds = try await timed {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<streams {
                    group.addTask {
                        let late = BenchmarkError("the tunnel took longer than 60 s for \(size) bytes")
                        try await withTimeout(.seconds(60), or: late) {
                            try await self.withByteClient(address) { try await $0.fetch(size) }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        return Double(streams * size) / seconds
    }
}
