//! Pure kernels on slices: alignment, interpolation, bins, gaps, downsampling for the screen.
