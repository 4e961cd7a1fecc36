/// What a terminal shows after a program has written to it: the control characters and sequences that command-line
/// programs use, interpreted; colours and titles dropped.
struct Screen {
    private var lines: [[Character]] = [[]]
    private var row = 0
    private var column = 0

    init(_ bytes: [UInt8]) {
        var scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            switch scalar {
            case "\r": column = 0
            case "\n": moveDown(1)
            case "\u{8}": column = max(0, column - 1)
            case "\t": column = (column / 8 + 1) * 8
            case "\u{7}": break
            case "\u{1b}": escape(&scalars)
            default: put(scalar)
            }
        }
    }

    /// The lines, without trailing blanks.
    var text: String {
        var shown = lines.map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return String(line)
        }
        while shown.last?.isEmpty == true { shown.removeLast() }
        return shown.joined(separator: "\n")
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        // A combining mark or joiner belongs to the character before it.
        if scalar.properties.isGraphemeExtend, column > 0, column <= lines[row].count {
            lines[row][column - 1] = Character(String(lines[row][column - 1]) + String(scalar))
            return
        }
        while lines[row].count < column { lines[row].append(" ") }
        if column < lines[row].count {
            lines[row][column] = Character(scalar)
        } else {
            lines[row].append(Character(scalar))
        }
        column += 1
    }

    private mutating func moveDown(_ count: Int) {
        row += count
        while lines.count <= row { lines.append([]) }
    }

    private mutating func escape(_ scalars: inout String.UnicodeScalarView.Iterator) {
        switch scalars.next() {
        case "[": control(&scalars)
        case "]":
            // An operating-system command, such as a title or a link: ends with BEL or ESC \.
            while let scalar = scalars.next(), scalar != "\u{7}" {
                if scalar == "\u{1b}" {
                    _ = scalars.next()
                    break
                }
            }
        default: break
        }
    }

    /// A sequence that began with ESC [.
    private mutating func control(_ scalars: inout String.UnicodeScalarView.Iterator) {
        var parameters = ""
        while let scalar = scalars.next() {
            guard ("@"..."~").contains(scalar) else {
                parameters.unicodeScalars.append(scalar)
                continue
            }
            let number = Int(parameters.split(separator: ";").first ?? "") ?? 0
            switch scalar {
            case "A": row = max(0, row - max(1, number))
            case "B": moveDown(max(1, number))
            case "C": column += max(1, number)
            case "D": column = max(0, column - max(1, number))
            case "G": column = max(0, number - 1)
            case "K": eraseLine(number)
            case "J":
                eraseLine(number)
                if number == 0 { lines.removeSubrange((row + 1)...) }
                if number == 2 { lines = lines.map { _ in [] } }
            default: break  // colours, modes
            }
            return
        }
    }

    private mutating func eraseLine(_ mode: Int) {
        switch mode {
        case 0: if column < lines[row].count { lines[row].removeSubrange(column...) }
        case 1: for index in 0..<min(column + 1, lines[row].count) { lines[row][index] = " " }
        default: lines[row] = []
        }
    }
}
