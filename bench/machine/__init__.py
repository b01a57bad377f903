"""The computer: fingerprint, threads, memory, disturbance and calibration."""
