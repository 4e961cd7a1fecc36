/// A program under a pseudo-terminal, and a person in front of it: reads what appears, types, presses Ctrl-C.
struct Terminal: Sendable {
    /// Keys that are not text.
    enum Key: UInt8, Sendable {
        case interrupt = 0x03  // Ctrl-C
        case endOfInput = 0x04  // Ctrl-D
        case enter = 0x0d
        case suspend = 0x1a  // Ctrl-Z
        case quit = 0x1c  // Ctrl-\
        case escape = 0x1b
    }

    let child: Child
    private let position = Positions()

    init(_ child: Child) { self.child = child }

    /// Waits for a text that appears after the last one that was expected on this stream; colours do not matter.
    ///
    /// - Returns: what stood between the two.
    @discardableResult
    func expect(
        _ text: String, on stream: Launch.Stream = .terminal, within limit: Duration = .seconds(30)
    ) async throws -> String {
        try await expect("'\(text)'", on: stream, within: limit) { unread in
            unread.firstRange(of: text).map { (String(unread[..<$0.lowerBound]), $0) }
        }
    }

    /// Waits for a match, as ``expect(_:on:within:)-(String,_,_)`` does for a text.
    ///
    /// - Returns: the match's output: the whole match and its groups.
    @discardableResult
    func expect<Output>(
        _ pattern: Regex<Output>, on stream: Launch.Stream = .terminal, within limit: Duration = .seconds(30)
    ) async throws -> Output {
        try await expect("match", on: stream, within: limit) { unread in
            unread.firstMatch(of: pattern).map { ($0.output, $0.range) }
        }
    }

    private func expect<Found>(
        _ what: String, on stream: Launch.Stream, within limit: Duration,
        find: (Substring) -> (Found, Range<Substring.Index>)?
    ) async throws -> Found {
        let start = await position[stream]
        var seen = -1
        let (found, end) = try await eventually("\(what) on the \(stream)", within: limit) {
            await child.summary
        } check: {
            let bytes = await child.bytes(stream)
            guard bytes.count != seen else { return nil as (Found, Int)? }
            seen = bytes.count
            let text = plain(bytes)
            guard let (found, range) = find(text.dropFirst(start)) else { return nil }
            return (found, text.distance(from: text.startIndex, to: range.upperBound))
        }
        await position.set(stream, end)
        return found
    }

    func type(_ text: String) async { await child.type(Array(text.utf8)) }

    func press(_ key: Key) async { await child.type([key.rawValue]) }

    /// What the terminal shows: lines that were written over show their last text.
    var screen: String {
        get async { Screen(await child.bytes(.terminal)).text }
    }

    /// All that a stream brought, without escape sequences.
    func text(_ stream: Launch.Stream = .terminal) async -> String { plain(await child.bytes(stream)) }

    /// The end of the program.
    func finish(within limit: Duration = .seconds(60)) async throws -> ExitStatus {
        try await child.finish(within: limit)
    }
}

/// How far each stream has been read, in characters of the plain text.
private actor Positions {
    private var read: [Launch.Stream: Int] = [:]
    subscript(stream: Launch.Stream) -> Int { read[stream] ?? 0 }
    func set(_ stream: Launch.Stream, _ position: Int) { read[stream] = position }
}

/// The text without escape sequences and with plain line ends.
private func plain(_ bytes: [UInt8]) -> String {
    var result = String.UnicodeScalarView()
    var scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
        guard scalar == "\u{1b}" else {
            if scalar != "\r" { result.append(scalar) }
            continue
        }
        guard scalars.next() == "[" else { continue }
        while let next = scalars.next(), !("@"..."~").contains(next) {}
    }
    return String(result)
}

/// Runs a program under a terminal for as long as `body` takes.
func withTerminal<Result: Sendable>(
    _ launch: Launch, size: Launch.Size = Launch.Size(), pipes: Set<Launch.Stream> = [],
    _ body: @Sendable (Terminal) async throws -> Result
) async throws -> Result {
    var launch = launch
    launch.terminal = size
    launch.pipes = pipes
    return try await withChild(launch) { try await body(Terminal($0)) }
}
