import IO

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Shows a board on the whole terminal, as long as it is wanted.
struct TopScreen: Sendable {
    let board: TopBoard
    let terminal: UserTerminal
    let style: TerminalStyle
    let loop: PollLoop

    private static let begin = "\u{1B}[?1049h\u{1B}[?25l"
    private static let end = "\u{1B}[?25h\u{1B}[?1049l"

    /// Shows it until `q` is pressed.
    func run() async throws {
        let order = Beacon(NodeUse.Order.processor)
        try await terminal.hold(.keys, greeting: Self.begin, farewell: Self.end) {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    while let key = try await key() {
                        switch key {
                        case UInt8(ascii: "q"), UInt8(ascii: "Q"): return true
                        case UInt8(ascii: "c"), UInt8(ascii: "C"): order.set(.processor)
                        case UInt8(ascii: "m"), UInt8(ascii: "M"): order.set(.memory)
                        default: continue
                        }
                        board.changed.signal()
                    }
                    return true
                }
                group.addTask {
                    while true {
                        try await terminal.changed.wait()
                        board.changed.signal()
                    }
                }
                // How long something has lasted is news, too.
                group.addTask {
                    while true {
                        try await Task.sleep(for: .seconds(5))
                        board.changed.signal()
                    }
                }
                group.addTask {
                    while true {
                        let generation = board.changed.generation
                        try await draw(order.value)
                        try await board.changed.wait(after: generation)
                        // Nodes speak one after the other: their words make one picture.
                        try await Task.sleep(for: .milliseconds(80))
                    }
                }
                defer { group.cancelAll() }
                while let isOver = try await group.next(), !isOver {}
            }
        }
    }

    /// The next key; nil when the terminal is gone.
    private func key() async throws -> UInt8? {
        while true {
            try await loop.readable(STDIN_FILENO)
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            return count > 0 ? byte : nil
        }
    }

    private func draw(_ order: NodeUse.Order) async throws {
        let size = terminal.size
        var table = TopTable.forScreen(style, width: size.columns)
        table.order = order
        let rows = max(1, size.rows - 1)
        var lines = table.lines(board.shown, rows: rows)
        lines += Array(repeating: "", count: rows - lines.count)
        let keys = "q leave   c by CPU   m by memory"
        lines.append(style.paint(TerminalText.cut(keys, to: size.columns - 1), .faint))
        // From the top, over what is there: nothing flickers.
        let text = "\u{1B}[H" + lines.joined(separator: "\u{1B}[K\r\n") + "\u{1B}[K\u{1B}[J"
        let writer = OutputWriter(descriptor: STDOUT_FILENO, loop: loop)
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty { bytes = bytes.dropFirst(try await writer.write(bytes)) }
    }
}
