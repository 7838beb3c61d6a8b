//! Reads job files, runs them, and writes down what happened.
