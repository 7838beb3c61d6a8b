//! The JWST engineering telemetry toolkit: archive, store and frame in one object.
