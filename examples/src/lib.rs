//! Examples for plugin authors and operators.
