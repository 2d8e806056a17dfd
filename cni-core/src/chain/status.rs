//! STATUS of a list.

use super::request::Step;
use super::{ChainError, Runtime};
use crate::invoke::{Operation, Verb};
use crate::spec::ConfList;

/// Asks each plugin in turn whether ADD could be served.
///
/// Stops at the first that says no. Calls nothing below 1.1.0, which has no STATUS.
///
/// # Errors
/// [`ChainError::Plugin`] with the plugin's own error, code 50 or 51 as a rule.
pub fn status(list: &ConfList, runtime: &Runtime<'_>) -> Result<(), ChainError> {
    if list.version < Operation::Status.since() {
        return Ok(());
    }
    let target = runtime.no_target();
    list.plugins()
        .try_for_each(|plugin| Step::network(list, plugin, runtime, &target, None)?.run(Verb::Status, None))
}
