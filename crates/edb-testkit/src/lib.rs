//! Dev only: scripted fault server, synthetic telemetry.
