//! Documents with truth.
