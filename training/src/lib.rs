//! Losses, augmentation, optimisation, metrics.
