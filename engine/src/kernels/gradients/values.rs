//! The plain slices behind candle's CPU tensors.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};
use std::ops::{Deref, Range};

/// Read access to the values of a contiguous f32 CPU tensor. `G` is candle's lock guard.
pub(super) struct Values<G> {
    storage: G,
    range: Range<usize>,
}

/// See [`Values`].
pub(super) fn of(tensor: &Tensor) -> Result<Values<impl Deref<Target = Storage> + '_>> {
    let (storage, layout) = tensor.storage_and_layout();
    let range = contiguous_range(layout)?;
    match &*storage {
        Storage::Cpu(CpuStorage::F32(_)) => Ok(Values { storage, range }),
        _ => bail!("gradients of {:?} on {:?}: only f32 on the CPU", tensor.dtype(), tensor.device().location()),
    }
}

impl<G: Deref<Target = Storage>> Deref for Values<G> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &*self.storage {
            Storage::Cpu(CpuStorage::F32(values)) => &values[self.range.clone()],
            _ => unreachable!("checked when it was made"),
        }
    }
}

/// The values of an operation's argument.
pub(super) fn argument<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    Ok(&storage.as_slice::<f32>()?[contiguous_range(layout)?])
}

fn contiguous_range(layout: &Layout) -> Result<Range<usize>> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(start..end),
        None => bail!("a contiguous tensor is needed, this has shape {:?} and strides {:?}", layout.shape(), layout.stride()),
    }
}
