// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: [.target(name: name)] + dependencies, swiftSettings: strict)
}

let package = Package(
    name: "cluster-tools",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "submit", targets: ["submit"]),
        .executable(name: "cluster", targets: ["cluster"]),
    ],
    targets: [
        // The C libraries, as the system ships them.
        .systemLibrary(
            name: "CGit2", pkgConfig: "libgit2", providers: [.apt(["libgit2-dev"]), .brew(["libgit2"])]),
        .systemLibrary(
            name: "CSSH", pkgConfig: "libssh", providers: [.apt(["libssh-dev"]), .brew(["libssh"])]),
        .systemLibrary(
            name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl"])]),

        // What the C library has and its own module does not show.
        .systemLibrary(name: "CSystem"),
        .target(name: "CTerminal"),

        // Leaf modules: each knows one thing, and nothing of clusters.
        library("IO", ["CSystem", "CTerminal"]),
        library("Git", ["CGit2", "CCrypto"]),
        library("Archive", ["CArchive"]),
        library("SSH", ["CSSH", "CCrypto", "IO"]),
        library("Slurm", []),
        .target(
            name: "Templates", path: "templates",
            resources: [
                .embedInCode("sbatch_script.sh"), .embedInCode("tensorboard.py"), .embedInCode("relay.py"),
                .embedInCode("notebook"), .embedInCode("notebook.py"), .embedInCode("environment"),
                .embedInCode("remote"), .embedInCode("completion"),
            ],
            swiftSettings: strict),

        // The library that knows the job, and the executables that know argv.
        library("ClusterTools", ["IO", "Git", "Archive", "SSH", "Slurm", "Templates", "CTerminal"]),
        .executableTarget(name: "submit", dependencies: ["ClusterTools"], swiftSettings: strict),
        .executableTarget(name: "cluster", dependencies: ["ClusterTools"], swiftSettings: strict),

        tests(of: "IO"),
        tests(of: "Git", ["CGit2"]),
        tests(of: "Archive"),
        tests(of: "SSH", ["CCrypto", "IO"]),
        tests(of: "Slurm"),
        tests(of: "ClusterTools", ["IO", "SSH", "Slurm", "Templates"]),
        .target(name: "CLab", path: "Tests/CLab"),
        .testTarget(
            name: "IntegrationTests", dependencies: ["submit", "cluster", "ClusterTools", "IO", "CLab"],
            swiftSettings: strict),
        // No test: see Tests/Benchmarks/run.
        .executableTarget(
            name: "Benchmarks", dependencies: ["IO"], path: "Tests/Benchmarks", exclude: ["run", "growth.svg"],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
