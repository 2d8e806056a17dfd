//! The contract between a runtime and a plugin, as a suite that any executable can be put through.

mod attachment;
mod document;
mod environment;
mod layout;
mod probe;
mod report;
mod subject;
mod version;

use probe::Probe;
pub use report::{Case, Fault, Report};
pub use subject::{Leniency, Subject};

/// Puts an executable through the contract of the specification (sections 2 and 5) and of the reference's
/// skeleton, which runtimes have come to count on: what is asked in which order, and the code of each refusal.
///
/// ```no_run
/// use cni_core::testkit::conformance;
///
/// conformance("/opt/cni/bin/loopback").assert();
/// ```
///
/// With a [`Subject`] it also sends DEL, GC and STATUS with a configuration that the plugin takes, and, where a
/// namespace was [given](Subject::with_netns), makes attachments in every version and takes them off again.
///
/// The plugin never sees the namespace that it runs in as `CNI_NETNS`: that a plugin refuses it (code 8)
/// cannot be tried without harm to a machine on which it does not.
pub fn conformance(subject: impl Into<Subject>) -> Report {
    let subject = subject.into();
    let versions = version::supported(&subject);
    let cases = [
        version::CASES,
        environment::CASES,
        document::CASES,
        attachment::WITHOUT,
    ];
    let within = subject.netns.as_ref().map_or(&[][..], |_| attachment::WITHIN);
    let run = |(name, run): &(&'static str, fn(&mut Probe<'_>))| {
        let mut probe = Probe::new(&subject, &versions);
        run(&mut probe);
        Case::new(name, probe.into_faults())
    };
    Report::new(
        &subject.path,
        cases.into_iter().flatten().chain(within).map(run).collect(),
    )
}

/// Cases by name: each a sentence that is true of a plugin which passes.
type Cases = [(&'static str, fn(&mut Probe<'_>))];
