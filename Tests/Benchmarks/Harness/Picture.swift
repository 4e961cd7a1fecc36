import Foundation

/// How cost grows with size: panels with logarithmic axes, drawn as an SVG that is readable on white and on black.
struct Picture {
    /// One curve of a panel.
    struct Curve {
        var name: String
        var points: [(x: Double, y: Double)]
        var isOurs: Bool
    }

    struct Panel {
        var title: String
        /// What the horizontal axis counts.
        var axis: String
        var unit: Unit
        var curves: [Curve]

        /// Nothing is drawn.
        static let empty = Panel(title: "", axis: "", unit: .seconds, curves: [])
    }

    var panels: [Panel]

    /// How many panels there are side by side.
    static let columns = 3
    /// How far words reach beyond a panel.
    private static let overhang = 24.0
    private static let (width, height) = (300.0, 220.0)
    private static let (left, right, top, bottom) = (62.0, 14.0, 34.0, 40.0)

    var svg: String {
        let columns = min(Self.columns, max(1, panels.count))
        let rows = (panels.count + columns - 1) / columns
        let size = (Picture.width * Double(columns), Picture.height * Double(max(1, rows)))
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(size.0 + Picture.overhang)) \(Int(size.1))" \
            font-family="sans-serif" font-size="10">
            <style>text{fill:#777}.t{font-size:12px}.g{stroke:#7773}.o,.r{fill:none;stroke-width:2}\
            .o{stroke:#2a78d6}.r{stroke:#d67a2a;stroke-dasharray:4 3}.co{fill:#2a78d6}.cr{fill:#d67a2a}</style>

            """
        for (index, panel) in panels.enumerated() {
            let place = (Double(index % columns) * Picture.width, Double(index / columns) * Picture.height)
            text += "<g transform=\"translate(\(number(place.0)) \(number(place.1)))\">\n\(draw(panel))</g>\n"
        }
        return text + "</svg>\n"
    }

    private func draw(_ panel: Panel) -> String {
        let points = panel.curves.flatMap(\.points).filter { $0.x > 0 && $0.y > 0 }
        guard let xs = span(points.map(\.x)), let ys = span(points.map(\.y)) else { return "" }
        let right = Picture.width - Picture.right
        let bottom = Picture.height - Picture.bottom
        func x(_ value: Double) -> Double {
            Picture.left + (log10(value) - xs.0) / (xs.1 - xs.0) * (right - Picture.left)
        }
        func y(_ value: Double) -> Double { bottom - (log10(value) - ys.0) / (ys.1 - ys.0) * (bottom - Picture.top) }
        var text = "<text class=\"t\" x=\"\(number(Picture.left))\" y=\"14\">\(escaped(panel.title))</text>\n"
        for value in decades(ys) {
            text += line(Picture.left, y(value), right, y(value))
            text += label(panel.unit.words(value), Picture.left - 5, y(value) + 3, anchor: "end")
        }
        for value in Set(points.map(\.x)).sorted() {
            text += line(x(value), Picture.top, x(value), bottom)
            text += label(value.formatted(.number.grouping(.automatic)), x(value), bottom + 13, anchor: "middle")
        }
        text += label(panel.axis, (Picture.left + right) / 2, bottom + 28, anchor: "middle")
        for (index, curve) in panel.curves.enumerated() {
            let path = curve.points.map { "\(number(x($0.x))),\(number(y($0.y)))" }
            let name = curve.isOurs ? "o" : "r"
            text += "<polyline class=\"\(name)\" points=\"\(path.joined(separator: " "))\"/>\n"
            for point in curve.points {
                text +=
                    "<circle class=\"c\(name)\" cx=\"\(number(x(point.x)))\" cy=\"\(number(y(point.y)))\" r=\"3\"/>\n"
            }
            text +=
                "<text class=\"c\(name)\" x=\"\(number(Picture.left + Double(index) * 110))\" y=\"28\">\(escaped(curve.name))</text>\n"
        }
        return text
    }

    /// The decades around these values, as exponents of ten.
    private func span(_ values: [Double]) -> (Double, Double)? {
        guard let least = values.min(), let most = values.max() else { return nil }
        let (low, high) = (floor(log10(least)), ceil(log10(most)))
        return (low, max(high, low + 1))
    }

    private func decades(_ span: (Double, Double)) -> [Double] {
        stride(from: span.0, through: span.1, by: 1).map { pow(10, $0) }
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<path class=\"g\" d=\"M\(number(x1)) \(number(y1))L\(number(x2)) \(number(y2))\"/>\n"
    }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    }

    private func label(_ text: String, _ x: Double, _ y: Double, anchor: String) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(escaped(text))</text>\n"
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
