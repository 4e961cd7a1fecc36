import Slurm

/// The machine that just fits: the smallest that has what is needed, and of those alike the one with the least load. A value
/// without I/O.
struct Choice: Sendable {
    /// Where it runs.
    let profile: Profile
    let offer: Offer
    /// Why there, and why not elsewhere: a line.
    let reason: String

    /// - Parameter findings: of the machines to choose from, in the order in which they were named.
    /// - Throws: ``Failure`` that says what each lacks, when none will do.
    init(_ need: Need, among findings: [Probe.Finding]) throws(Failure) {
        var offers: [(name: String, profile: Profile, offer: Offer)] = []
        var lacks: [String] = []
        for finding in findings {
            switch (finding.result, finding.profile) {
            case (.success(let report), let profile?):
                do throws(Lack) {
                    offers.append((finding.name, profile, try need.offer(of: report, profile: profile)))
                } catch {
                    lacks.append("\(finding.name): \(error.words.joined(separator: "; "))")
                }
            case (.failure(let failure), _): lacks.append("\(finding.name): \(failure.description)")
            case (.success, nil): break
            }
        }
        // The first of those alike: `min` keeps the order.
        guard let best = offers.min(by: { $0.offer.size < $1.offer.size }) else {
            throw Failure(
                Exit.unavailable, "no machine has what is needed now", why: lacks.joined(separator: "\n"),
                remedy: "ask for less, name other machines with -c, or look at cluster probe")
        }
        profile = best.profile
        offer = best.offer
        let larger = offers.filter { $0.name != best.name }.map { "\($0.name) has more" }
        reason = (["\(best.name) just fits: \(best.offer.words)"] + larger + lacks).joined(separator: "; ")
    }

    /// The profile for the submission: a job there sees the GPUs that were chosen for it, and no others.
    var adapted: Profile {
        guard !offer.devices.isEmpty else { return profile }
        var profile = profile
        let line = "export CUDA_VISIBLE_DEVICES=\(ShellWord.quote(offer.devices.joined(separator: ",")))"
        profile.environment = .lines(profile.environment.shellLines + [line])
        return profile
    }

    /// What asks Slurm for it: over the profile's options, under those of this project and of the command line.
    var options: SbatchOptions {
        get throws {
            var options = SbatchOptions()
            for (name, value) in offer.options { try options.set(name, to: .text(value)) }
            return options
        }
    }
}
