/// Finds what is meant for us among what is typed: `~.` at the beginning of a line, as with ssh. A value without I/O.
struct EscapeKeys {
    enum Request: Equatable {
        /// `~.`: leave, whatever the far side does.
        case leave
        /// `~?`: say what there is.
        case help
    }

    static let help = "\r\n  ~.  leave this shell\r\n  ~~  type ~\r\n  (all of them at the beginning of a line)\r\n"

    private enum State { case midLine, lineStart, afterTilde }
    private var state = State.lineStart

    /// Takes in what was typed.
    ///
    /// - Returns: what is to be sent, and the first request; what was typed after `~.` is nobody's.
    mutating func feed(_ bytes: some Sequence<UInt8>) -> (output: [UInt8], request: Request?) {
        var output: [UInt8] = []
        var request: Request?
        for byte in bytes {
            let isTilde = byte == UInt8(ascii: "~")
            if state == .afterTilde {
                switch byte {
                case UInt8(ascii: "."): return (output, .leave)
                case UInt8(ascii: "?"):
                    request = .help
                    state = .lineStart
                    continue
                case UInt8(ascii: "~"): break
                default: output.append(UInt8(ascii: "~"))
                }
                state = .midLine
            } else if isTilde, state == .lineStart {
                state = .afterTilde
                continue
            }
            output.append(byte)
            state = byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") ? .lineStart : .midLine
        }
        return (output, request)
    }
}
