//! AdamW with a warm-up and a cosine, gradient clipping and an exponential mean of the weights.
//!
//! Loshchilov and Hutter, "Decoupled Weight Decay Regularization", <https://arxiv.org/abs/1711.05101>. candle's own AdamW
//! keeps its moments to itself, so a run could not be continued.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};
use candle_nn::VarMap;
use std::collections::HashMap;
use std::f64::consts::PI;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// At the end of the warm-up.
    pub learning_rate: f64,
    pub warm_up_steps: u64,
    /// Of the whole run: the cosine ends here.
    pub steps: u64,
    pub weight_decay: f64,
    /// Longest gradient, over all weights together.
    pub gradient_norm_max: f64,
    /// Of the mean of the weights, a step.
    pub mean_decay: f64,
}

const BETAS: (f64, f64) = (0.9, 0.999);
const EPSILON: f64 = 1e-8;
/// The cosine ends at this share of the learning rate.
const FINAL_SHARE: f64 = 0.02;

impl Recipe {
    /// The learning rate of a step, from 0.
    pub fn learning_rate_at(&self, step: u64) -> f64 {
        if step < self.warm_up_steps {
            return self.learning_rate * (step + 1) as f64 / self.warm_up_steps as f64;
        }
        let length = self.steps.saturating_sub(self.warm_up_steps).max(1);
        let progress = ((step - self.warm_up_steps) as f64 / length as f64).min(1.0);
        self.learning_rate * (FINAL_SHARE + (1.0 - FINAL_SHARE) * 0.5 * (1.0 + (PI * progress).cos()))
    }
}

/// One weight with what the optimiser remembers of it.
struct Parameter {
    name: String,
    weight: Var,
    /// What was gathered since the last step.
    gradient: Option<Tensor>,
    first_moment: Tensor,
    second_moment: Tensor,
    mean: Tensor,
}

pub struct Optimiser {
    recipe: Recipe,
    parameters: Vec<Parameter>,
    step: u64,
}

/// What a checkpoint keeps for each weight, as prefixes of its name.
const STATE: [&str; 4] = ["weight", "first_moment", "second_moment", "mean"];

impl Optimiser {
    pub fn of(variables: &VarMap, recipe: Recipe) -> Result<Self> {
        let variables = variables.data().lock().expect("no panic while it is held").clone();
        Self::new(variables, recipe)
    }

    pub fn new(variables: impl IntoIterator<Item = (String, Var)>, recipe: Recipe) -> Result<Self> {
        let mut parameters = Vec::new();
        for (name, weight) in variables {
            let zeros = weight.zeros_like()?;
            let mean = weight.as_detached_tensor().copy()?;
            parameters.push(Parameter { name, weight, gradient: None, first_moment: zeros.clone(), second_moment: zeros, mean });
        }
        parameters.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { recipe, parameters, step: 0 })
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Adds `share` of a batch's gradients to what the next step descends.
    pub fn gather(&mut self, gradients: &GradStore, share: f64) -> Result<()> {
        for p in &mut self.parameters {
            let Some(gradient) = gradients.get(p.weight.as_tensor()) else { continue };
            let gradient = (gradient * share)?;
            p.gradient = Some(match p.gradient.take() {
                Some(gathered) => (gathered + gradient)?,
                None => gradient,
            });
        }
        Ok(())
    }

    /// One step down the gathered gradient. Returns its norm before clipping; a gradient that is not finite changes nothing.
    pub fn descend(&mut self) -> Result<f64> {
        let norm = self.norm()?;
        let rate = self.recipe.learning_rate_at(self.step);
        self.step += 1;
        if !norm.is_finite() {
            self.parameters.iter_mut().for_each(|p| p.gradient = None);
            return Ok(norm);
        }
        let shrink = (self.recipe.gradient_norm_max / norm.max(EPSILON)).min(1.0);
        let (first_bias, second_bias) = (1.0 - BETAS.0.powf(self.step as f64), 1.0 - BETAS.1.powf(self.step as f64));
        for p in &mut self.parameters {
            let Some(gradient) = p.gradient.take() else { continue };
            let gradient = (gradient * shrink)?;
            p.first_moment = ((&p.first_moment * BETAS.0)? + (&gradient * (1.0 - BETAS.0))?)?;
            p.second_moment = ((&p.second_moment * BETAS.1)? + (gradient.sqr()? * (1.0 - BETAS.1))?)?;
            let update = ((&p.first_moment / first_bias)? / ((&p.second_moment / second_bias)?.sqrt()? + EPSILON)?)?;
            // Biases are not decayed.
            let decay = if p.weight.rank() > 1 { self.recipe.weight_decay } else { 0.0 };
            let weight = p.weight.as_detached_tensor();
            p.weight.set(&((&weight * (1.0 - rate * decay))? - (update * rate)?)?)?;
            // Early on the mean follows closely, so that it does not remember the start for ever.
            let keep = self.recipe.mean_decay.min(self.step as f64 / (self.step as f64 + 10.0));
            p.mean = ((&p.mean * keep)? + (p.weight.as_detached_tensor() * (1.0 - keep))?)?;
        }
        Ok(norm)
    }

    fn norm(&self) -> Result<f64> {
        let mut squares = 0.0;
        for gradient in self.parameters.iter().filter_map(|p| p.gradient.as_ref()) {
            squares += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
        Ok(squares.sqrt())
    }

    /// The exponential mean of the weights by name: what is validated and shipped.
    pub fn mean_weights(&self) -> HashMap<String, Tensor> {
        self.parameters.iter().map(|p| (p.name.clone(), p.mean.clone())).collect()
    }

    /// All it needs to go on after a kill.
    pub fn state(&self) -> HashMap<String, Tensor> {
        self.parameters
            .iter()
            .flat_map(|p| {
                let tensors = [p.weight.as_detached_tensor(), p.first_moment.clone(), p.second_moment.clone(), p.mean.clone()];
                STATE.into_iter().zip(tensors).map(|(kind, tensor)| (format!("{kind}/{}", p.name), tensor))
            })
            .collect()
    }

    /// Goes on from a [`state`](Self::state) after `step` steps.
    pub fn restore(&mut self, step: u64, state: &HashMap<String, Tensor>) -> Result<()> {
        for p in &mut self.parameters {
            let take = |kind: &str| match state.get(&format!("{kind}/{}", p.name)) {
                Some(tensor) if tensor.shape() == p.weight.shape() => Ok(tensor.clone()),
                Some(tensor) => {
                    candle_core::bail!("{} is {:?} in the checkpoint, {:?} in the network", p.name, tensor.shape(), p.weight.shape())
                }
                None => candle_core::bail!("the checkpoint has no {kind} of {}", p.name),
            };
            let [weight, first, second, mean] = STATE.map(take);
            p.weight.set(&weight?)?;
            (p.first_moment, p.second_moment, p.mean) = (first?, second?, mean?);
        }
        self.step = step;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    const RECIPE: Recipe =
        Recipe { learning_rate: 0.1, warm_up_steps: 10, steps: 200, weight_decay: 0.0, gradient_norm_max: 10.0, mean_decay: 0.9 };

    fn variables() -> (VarMap, Tensor) {
        let variables = VarMap::new();
        let x = variables.get(3, "x", candle_nn::Init::Const(1.0), DType::F32, &Device::Cpu).unwrap();
        (variables, x)
    }

    fn descend(optimiser: &mut Optimiser, x: &Tensor, steps: usize) -> Vec<f32> {
        let goal = Tensor::new(&[3.0f32, -2.0, 0.5], &Device::Cpu).unwrap();
        for _ in 0..steps {
            let loss = (x - &goal).unwrap().sqr().unwrap().sum_all().unwrap();
            optimiser.gather(&loss.backward().unwrap(), 1.0).unwrap();
            optimiser.descend().unwrap();
        }
        x.to_vec1().unwrap()
    }

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let (variables, x) = variables();
        let mut optimiser = Optimiser::of(&variables, RECIPE).unwrap();
        for (got, goal) in descend(&mut optimiser, &x, 200).iter().zip([3.0, -2.0, 0.5]) {
            assert!((got - goal).abs() < 0.02, "{got} {goal}");
        }
        let mean: Vec<f32> = optimiser.mean_weights()["x"].to_vec1().unwrap();
        assert!((mean[0] - 3.0).abs() < 0.05, "{mean:?}");
    }

    #[test]
    fn a_restored_run_goes_on_as_if_never_stopped() {
        let (through, x) = variables();
        let whole = descend(&mut Optimiser::of(&through, RECIPE).unwrap(), &x, 30);
        let (first, x) = variables();
        let mut stopped = Optimiser::of(&first, RECIPE).unwrap();
        descend(&mut stopped, &x, 12);
        let (second, x) = variables();
        let mut resumed = Optimiser::of(&second, RECIPE).unwrap();
        resumed.restore(stopped.step(), &stopped.state()).unwrap();
        assert_eq!(descend(&mut resumed, &x, 18), whole);
    }

    #[test]
    fn the_learning_rate_warms_up_and_falls() {
        let rates: Vec<f64> = [0, 9, 105, 199, 500].iter().map(|&s| RECIPE.learning_rate_at(s)).collect();
        assert!((rates[0] - 0.01).abs() < 1e-9 && (rates[1] - 0.1).abs() < 1e-9);
        assert!(rates[2] < rates[1] && rates[3] < rates[2] && (rates[4] - 0.002).abs() < 1e-9);
    }

    #[test]
    fn a_gradient_that_is_not_finite_changes_nothing() {
        let (variables, x) = variables();
        let mut optimiser = Optimiser::of(&variables, RECIPE).unwrap();
        let loss = (x.log().unwrap() * f64::NAN).unwrap().sum_all().unwrap();
        optimiser.gather(&loss.backward().unwrap(), 1.0).unwrap();
        assert!(!optimiser.descend().unwrap().is_finite());
        assert_eq!(x.to_vec1::<f32>().unwrap(), [1.0; 3]);
        let after = descend(&mut optimiser, &x, 1);
        assert!(after.iter().all(|x| x.is_finite()) && after != [1.0; 3], "the next step is none the worse: {after:?}");
    }

    #[test]
    fn shares_of_one_gradient_are_that_gradient() {
        let gradients = |x: &Tensor| x.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let after = |shares: &[f64]| {
            let (variables, x) = variables();
            let mut optimiser = Optimiser::of(&variables, Recipe { gradient_norm_max: 1e9, ..RECIPE }).unwrap();
            shares.iter().for_each(|&share| optimiser.gather(&gradients(&x), share).unwrap());
            optimiser.descend().unwrap()
        };
        assert!((after(&[1.0]) - 12f64.sqrt()).abs() < 1e-6);
        assert!((after(&[0.5, 0.25, 0.25]) - after(&[1.0])).abs() < 1e-6);
    }
}
