//! [`Scripted`](cni_core::testkit::Scripted) as a shared library.

cni_core::export_plugin!(cni_core::testkit::Scripted);
