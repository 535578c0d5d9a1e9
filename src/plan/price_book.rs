//! Which price holds for which arm and model: the plan's own first, then the catalogue's.

use std::path::{Path, PathBuf};

use super::{ModelMap, Plan, PriceOverride};
use crate::pricing::{Catalogue, Price, PriceError};

/// All prices of a plan.
#[derive(Debug)]
pub struct PriceBook {
    catalogue: Catalogue,
    incumbent_provider: String,
    incumbent: Vec<(ModelMap, Price)>,
    arms: Vec<ArmPrices>,
}

#[derive(Debug)]
struct ArmPrices {
    name: String,
    provider: String,
    own: Option<Price>,
}

/// A price book that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PriceBookError {
    /// The plan's price file cannot be read.
    #[error("cannot read the price file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A price is not one.
    #[error(transparent)]
    Price(#[from] PriceError),
}

impl PriceBook {
    /// Reads the catalogue (the plan's file, relative to `folder`, or the embedded one) and puts
    /// the plan's own prices above it.
    ///
    /// # Errors
    /// A file that cannot be read, or text that is no price.
    pub fn new(plan: &Plan, folder: &Path) -> Result<Self, PriceBookError> {
        let catalogue = match &plan.price_file {
            None => Catalogue::embedded()?,
            Some(file) => {
                let path = folder.join(file);
                let bytes = std::fs::read(&path)
                    .map_err(|source| PriceBookError::Read { path: path.clone(), source })?;
                Catalogue::from_litellm_json(&bytes, file, "as of the file")?
            }
        };
        let incumbent =
            plan.incumbent_prices.iter().map(own_model_price).collect::<Result<_, _>>()?;
        let mut arms = Vec::new();
        for arm in plan.arms() {
            let own = arm.price.as_ref().map(plan_price).transpose()?;
            arms.push(ArmPrices { name: arm.name.clone(), provider: arm.provider.clone(), own });
        }
        let incumbent_provider = plan.incumbent_provider.clone();
        Ok(PriceBook { catalogue, incumbent_provider, incumbent, arms })
    }

    /// The price of a model in an arm.
    ///
    /// The control answers with the incumbent's models: what the plan says of those holds for it.
    ///
    /// # Errors
    /// [`PriceError::UnknownModel`] when neither plan nor catalogue knows the model.
    pub fn arm(&self, arm: &str, model: &str) -> Result<&Price, PriceError> {
        let found = self.arms.iter().find(|prices| prices.name == arm);
        if let Some(price) = found.and_then(|prices| prices.own.as_ref()) {
            return Ok(price);
        }
        if arm == "control" {
            return self.incumbent(model);
        }
        let provider = found.map_or(self.incumbent_provider.as_str(), |p| p.provider.as_str());
        self.catalogue.lookup(provider, model)
    }

    /// The price of a model of the incumbent.
    ///
    /// # Errors
    /// [`PriceError::UnknownModel`] when neither plan nor catalogue knows the model.
    pub fn incumbent(&self, model: &str) -> Result<&Price, PriceError> {
        let own = self.incumbent.iter().find(|(pattern, _)| pattern.target(model).is_some());
        match own {
            Some((_, price)) => Ok(price),
            None => self.catalogue.lookup(&self.incumbent_provider, model),
        }
    }

    /// The catalogue beneath the plan's own prices.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What the catalogue knows of a model of an arm, such as its maximal output, if anything.
    pub fn catalogue_entry(&self, arm: &str, model: &str) -> Option<&Price> {
        let provider = self
            .arms
            .iter()
            .find(|prices| prices.name == arm)
            .map_or(self.incumbent_provider.as_str(), |prices| prices.provider.as_str());
        // Asked for every request: a search for similar names would cost more than all else.
        self.catalogue.find(provider, model)
    }
}

fn plan_price(text: &PriceOverride) -> Result<Price, PriceError> {
    let mut price = text.price()?;
    "the plan".clone_into(&mut price.source);
    Ok(price)
}

fn own_model_price(text: &PriceOverride) -> Result<(ModelMap, Price), PriceError> {
    // A pattern that is no pattern is taken as a literal name, which then matches nothing else.
    let pattern = ModelMap::new([(text.model.as_str(), "")]).unwrap_or_default();
    Ok((pattern, plan_price(text)?))
}
