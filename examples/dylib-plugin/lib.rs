//! The plugin as a shared library.

mod plugin;

cni_core::export_plugin!(plugin::Hosts);
