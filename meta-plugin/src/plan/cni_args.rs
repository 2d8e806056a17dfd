//! `cni-args` of the pod into `args.cni` of the configuration (specification, 4.1.2.1.6).

use cni_core::spec::{ConfList, Object, ObjectError};

/// Puts every key of `from_pod` into `args.cni` of every plugin of `list`, over what is there under that key;
/// other keys of `args` and of `args.cni` stay.
///
/// # Errors
/// The plugin's type, when its `args` or `args.cni` is no object.
pub(super) fn merge(list: &mut ConfList, from_pod: &Object) -> Result<(), (String, ObjectError)> {
    for plugin in std::iter::once(&mut list.first).chain(&mut list.rest) {
        merge_into(&mut plugin.object, from_pod).map_err(|e| (plugin.kind.to_string(), e))?;
    }
    Ok(())
}

fn merge_into(object: &mut Object, from_pod: &Object) -> Result<(), ObjectError> {
    let mut args: Object = object.parse_key("args")?.unwrap_or_default();
    let mut cni: Object = args.parse_key("cni")?.unwrap_or_default();
    cni.merge(from_pod);
    args.set("cni", &cni)?;
    object.set("args", &args)
}
