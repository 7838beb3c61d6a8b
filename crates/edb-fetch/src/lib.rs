//! Asks an EDB service for samples and returns them decoded and proven complete, or says why not.
