//! Keeps samples on local disk so that a reader never sees half a write and knows which ranges are known.
