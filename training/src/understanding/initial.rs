//! First weights drawn from a seed: candle's own generator for the CPU cannot be seeded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Result, Shape, Tensor, Var};
use candle_nn::init::{Init, NormalOrUniform};
use candle_nn::var_builder::SimpleBackend;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The variables of a network by name, made when the network asks for them.
#[derive(Clone)]
pub struct SeededVariables {
    state: Arc<Mutex<State>>,
}

struct State {
    rng: ChaCha8Rng,
    variables: BTreeMap<String, Var>,
}

impl SeededVariables {
    pub fn new(seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State { rng: ChaCha8Rng::seed_from_u64(seed), variables: BTreeMap::new() })) }
    }

    /// All variables asked for so far, by name.
    pub fn variables(&self) -> BTreeMap<String, Var> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).variables.clone()
    }
}

impl SimpleBackend for SeededVariables {
    fn get(&self, shape: Shape, name: &str, init: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = state.variables.get(name) {
            return Ok(known.as_tensor().clone());
        }
        let values = draw(&mut state.rng, &shape, init);
        let variable = Var::from_tensor(&Tensor::from_vec(values, shape, device)?.to_dtype(dtype)?)?;
        let tensor = variable.as_tensor().clone();
        state.variables.insert(name.to_string(), variable);
        Ok(tensor)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let variable = state.variables.get(name).ok_or_else(|| candle_core::Error::CannotFindTensor { path: name.to_string() }.bt())?;
        Ok(variable.as_tensor().clone())
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).variables.contains_key(name)
    }
}

fn draw(rng: &mut ChaCha8Rng, shape: &Shape, init: Init) -> Vec<f32> {
    let count = shape.elem_count();
    let values: Vec<f64> = match init {
        Init::Const(value) => vec![value; count],
        Init::Uniform { lo, up } => (0..count).map(|_| rng.random_range(lo..up)).collect(),
        Init::Randn { mean, stdev } => (0..count).map(|_| mean + stdev * normal(rng)).collect(),
        Init::Kaiming { dist, fan, non_linearity } => {
            let deviation = non_linearity.gain() / (fan.for_shape(shape) as f64).sqrt();
            match dist {
                NormalOrUniform::Normal => (0..count).map(|_| deviation * normal(rng)).collect(),
                NormalOrUniform::Uniform => (0..count).map(|_| deviation * 3f64.sqrt() * rng.random_range(-1.0..1.0)).collect(),
            }
        }
    };
    values.into_iter().map(|value| value as f32).collect()
}

/// One draw from the standard normal distribution (Box and Muller 1958).
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random_range(0.0..1.0));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_nn::VarBuilder;

    #[test]
    fn one_seed_draws_the_same_weights() {
        let weights = |seed| {
            let variables = SeededVariables::new(seed);
            let builder = VarBuilder::from_backend(Box::new(variables), DType::F32, Device::Cpu);
            candle_nn::linear(40, 50, builder).unwrap().weight().flatten_all().unwrap().to_vec1::<f32>().unwrap()
        };
        assert_eq!(weights(1), weights(1));
        assert_ne!(weights(1), weights(2));
        let squares: f32 = weights(1).iter().map(|w| w * w).sum::<f32>() / 2000.0;
        // Kaiming: variance 2 / fan-in = 0.05.
        assert!((squares - 0.05).abs() < 0.01, "{squares}");
    }
}
