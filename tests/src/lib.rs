//! What needs more than one room or a real kernel.
