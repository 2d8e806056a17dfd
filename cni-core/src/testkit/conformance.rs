//! The contract between a runtime and a plugin, as a suite that any executable can be put through.

mod attachment;
mod document;
mod environment;
mod layout;
mod probe;
mod report;
mod subject;
mod version;

use crate::spec::Version;
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
/// It stops at once when the executable cannot be started, and makes no more attachments after no ADD of the first
/// case about them succeeded in any version. The report's first lines say so.
///
/// With a [`Subject`] it also sends DEL, GC and STATUS with a configuration that the plugin takes, and, where a
/// namespace was [given](Subject::with_netns), makes attachments in every version and takes them off again.
///
/// The plugin never sees the namespace that it runs in as `CNI_NETNS`: that a plugin refuses it (code 8)
/// cannot be tried without harm to a machine on which it does not.
pub fn conformance(subject: impl Into<Subject>) -> Report {
    let subject = subject.into();
    if let Err(error) = version::command().exec(&subject.path, "") {
        return Report::not_started(&subject.path, &error);
    }
    let versions = version::supported(&subject);
    let mut report = Report::new(&subject.path);
    let first = [
        version::CASES,
        environment::CASES,
        document::CASES,
        attachment::WITHOUT,
    ];
    for case in first.into_iter().flatten() {
        report.run(case, Probe::new(&subject, &versions));
    }
    match &subject.netns {
        Some(_) => within(&mut report, &subject, &versions),
        None => report.leave_out(attachment::WITHIN.len(), "a namespace: `Subject::with_netns`"),
    }
    report
}

/// The cases about attachments, unless there never is one.
fn within(report: &mut Report, subject: &Subject, versions: &[Version]) {
    let mut cases = attachment::WITHIN.iter();
    let refusal = cases
        .next()
        .and_then(|case| report.run(case, Probe::new(subject, versions)));
    if let Some(refusal) = refusal {
        report.never_added(&refusal);
        return report.leave_out(cases.len(), "an ADD that succeeds");
    }
    for case in cases {
        report.run(case, Probe::new(subject, versions));
    }
}

/// Cases by name: each a sentence that is true of a plugin which passes.
type Cases = [NamedCase];
type NamedCase = (&'static str, fn(&mut Probe<'_>));
