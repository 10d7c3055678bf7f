//! DiskANN's in-memory index: a Vamana graph over int8 or f16. It cannot be saved, so it lives while it is measured.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use diskann::graph::ext::labeled::{Filtered, QueryLabelProvider};
use diskann::graph::search::{Knn, MultihopFilterSearch};
use diskann::graph::{DiskANNIndex, IdDistance, SearchOutputBuffer, config};
use diskann::provider::DataProvider;
use diskann_inmem::num::{Capacity, MaxDegree};
use diskann_inmem::repr::{Full, FullPrecision, full};
use diskann_inmem::{Context, Provider, Strategy};
use diskann_utils::views::rowmajor;
use diskann_vector::distance::Metric;
use half::f16;
use serde_json::{Map, Value};

use crate::exchange::Vectors;
use crate::peer::{Filter, Peer, number};

/// How a component is held.
pub trait Component: FullPrecision {
    /// The factor that spreads components of absolute value at most `largest` over the type.
    fn scale(largest: f32) -> f32;
    fn of(value: f32) -> Self;
}

impl Component for i8 {
    fn scale(largest: f32) -> f32 {
        127.0 / largest
    }

    fn of(value: f32) -> Self {
        value.round() as i8
    }
}

impl Component for f16 {
    fn scale(_largest: f32) -> f32 {
        1.0
    }

    fn of(value: f32) -> Self {
        f16::from_f32(value)
    }
}

/// `components` ("int8" or "f16"), `degree`, `l` (candidates while building) and `alpha` (in hundredths) of the build.
pub fn new(build: &Value) -> Result<Box<dyn Peer>> {
    let params = build.as_object().context("the build parameters are an object")?.clone();
    match params.get("components").and_then(Value::as_str) {
        Some("int8") => Ok(Box::new(Diskann::<i8> { params, scale: 1.0, index: None, labels: None })),
        Some("f16") => Ok(Box::new(Diskann::<f16> { params, scale: 1.0, index: None, labels: None })),
        other => bail!("components {other:?} are not known"),
    }
}

struct Diskann<T: Component> {
    params: Map<String, Value>,
    scale: f32,
    index: Option<DiskANNIndex<Provider<Full<T>, u32>>>,
    labels: Option<Labels>,
}

/// Which of the index's own ids pass.
#[derive(Debug)]
struct Labels(Vec<bool>);

impl QueryLabelProvider<u32> for Labels {
    fn is_match(&self, id: u32) -> bool {
        self.0.get(id as usize).copied().unwrap_or(false)
    }
}

impl<T: Component> Diskann<T> {
    fn index(&self) -> &DiskANNIndex<Provider<Full<T>, u32>> {
        self.index.as_ref().expect("invariant: built before it is asked")
    }

    fn components(&self, vector: &[f32]) -> Vec<T> {
        vector.iter().map(|&value| T::of(value * self.scale)).collect()
    }

    fn empty(&self, vectors: &Vectors) -> Result<DiskANNIndex<Provider<Full<T>, u32>>> {
        let (degree, l) = (number(&self.params, "degree")?, number(&self.params, "l")?);
        let mut mean = vec![0.0; vectors.dimensions()];
        for vector in vectors.rows() {
            mean.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value / vectors.len() as f32);
        }
        let metric = Metric::InnerProduct;
        let start = rowmajor::Owned::row_vector(self.components(&mean).into_boxed_slice());
        // Room for back edges beyond the pruned degree, as the library's own benchmark has it.
        let room = degree + degree * 3 / 10;
        let store = full::Config::new(Capacity::new(vectors.len()), MaxDegree::new(room), metric, start)?;
        let mut graph = config::Builder::new(degree, config::MaxDegree::new(room), l, metric.into());
        graph.alpha(number(&self.params, "alpha")? as f32 / 100.0);
        Ok(DiskANNIndex::new(graph.build()?, Provider::new(store)?, None))
    }
}

impl<T: Component> Peer for Diskann<T> {
    fn build(&mut self, vectors: &Vectors) -> Result<()> {
        let largest = vectors.values().iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
        self.scale = T::scale(largest);
        let index = self.empty(vectors)?;
        for (id, vector) in vectors.rows().enumerate() {
            let vector = self.components(vector);
            pollster::block_on(index.insert(&Strategy, &Context, &(id as u32), vector.as_slice()))?;
        }
        self.index = Some(index);
        Ok(())
    }

    fn save(&self, _folder: &Path) -> Result<bool> {
        Ok(false)
    }

    fn load(&mut self, _folder: &Path) -> Result<()> {
        bail!("DiskANN's in-memory index cannot be loaded")
    }

    fn prepare(&mut self, _params: &Map<String, Value>, filter: Option<&Filter>) -> Result<()> {
        let provider = self.index().provider();
        self.labels = filter.map(|filter| {
            let passes = provider_ids(provider).map(|id| filter.passes(id as usize));
            Labels(passes.collect())
        });
        Ok(())
    }

    fn search(
        &self,
        query: &[f32],
        k: usize,
        params: &Map<String, Value>,
        _filter: Option<&Filter>,
        found: &mut Vec<u32>,
    ) -> Result<()> {
        let query = self.components(query);
        let knn = Knn::new_default(number(params, "l")?.max(k))?;
        let mut distances = vec![0.0; k];
        found.resize(k, 0);
        let mut nearest = IdDistance::new(found, &mut distances);
        match &self.labels {
            Some(labels) => {
                let (search, strategy) = (MultihopFilterSearch::new(knn), Filtered::new(Strategy, labels));
                pollster::block_on(self.index().search(search, &strategy, &Context, query.as_slice(), &mut nearest))?
            }
            None => pollster::block_on(self.index().search(knn, &Strategy, &Context, query.as_slice(), &mut nearest))?,
        };
        // Its own count leaves out the one that fills the buffer.
        let count = nearest.current_len();
        found.truncate(count);
        Ok(())
    }
}

/// Our id of each of the index's own, in their order; nothing was deleted, so there is no gap.
fn provider_ids<T: Component>(provider: &Provider<Full<T>, u32>) -> impl Iterator<Item = u32> {
    (0..).map_while(|id| provider.to_external_id(&Context, id).ok())
}
