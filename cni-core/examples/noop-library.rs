//! [`Noop`](cni_core::testkit::Noop) as a shared library: what loading and calling one costs.

cni_core::export_plugin!(cni_core::testkit::Noop);
