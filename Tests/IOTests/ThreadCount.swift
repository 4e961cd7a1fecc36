#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif
import IO

/// How many threads this process has.
func threadCount() throws -> Int {
    #if canImport(Darwin)
        var threads: thread_act_array_t?
        var count: mach_msg_type_number_t = 0
        guard task_threads(mach_task_self_, &threads, &count) == KERN_SUCCESS else {
            throw IOError(.systemCall, "threads")
        }
        return Int(count)
    #else
        return try entries(of: "/proc/self/task").count
    #endif
}

/// The names in a folder, without the two dots.
func entries(of path: String) throws -> [String] {
    guard let folder = opendir(path) else { throw IOError(.systemCall, "no folder \(path)") }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
