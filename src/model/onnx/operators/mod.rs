//! Operators that the runtime lacks, or reads otherwise than exporters write them: those of the domain `ai.onnx.ml` that
//! pipelines of scikit-learn become. Each is written from the specification
//! (<https://github.com/onnx/onnx/blob/main/docs/Operators-ml.md>) and held against onnxruntime by the fixtures.
//!
//! An operator here takes one table of numbers and knows nothing of the runtime: [`Own`] stands between. Text never gets
//! here, as `text` has made codes of it. Nothing may panic on what a file says: a file is not ours.

mod array_feature_extractor;
mod attributes;
mod imputer;
mod label_encoder;
mod one_hot_encoder;
mod rows;
mod scaler;
mod support_vectors;
mod svm;
mod svm_pairs;
mod tree_aggregate;
mod tree_ensemble;
mod tree_nodes;

use std::fmt::Debug;
use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::tract_hir::internal::{
    DatumType, EvalContext, EvalOp, Expansion, InferenceOp, InferenceResult, IntoTValue, Op, OutletId, Solver,
    SpecialOps as _, StaticName, TDim, TValue, TVec, Tensor, TensorProxy, TractResult, TypedFact, TypedModel, TypedOp,
    bail, check_input_arity, check_output_arity, expand,
};

/// What the register of the runtime wants of a node: an operator, and names of an outer graph that it uses.
type Built = (Box<dyn InferenceOp>, Vec<String>);

/// The runtime with all of them, also in place of its own of the same name.
pub(super) fn runtime() -> Onnx {
    let mut onnx = tract_onnx::onnx();
    register(&mut onnx);
    onnx
}

fn register(onnx: &mut Onnx) {
    let register = &mut onnx.op_register;
    register.insert("ArrayFeatureExtractor", |_, _| Ok(array_feature_extractor::build()));
    register.insert("Imputer", |_, node| imputer::read(node).map(built));
    register.insert("LabelEncoder", |context, node| label_encoder::read(context, node).map(built));
    register.insert("OneHotEncoder", |_, node| one_hot_encoder::read(node).map(built));
    register.insert("Scaler", |_, node| scaler::read(node).map(built));
    register.insert("SVMClassifier", |_, node| svm::classifier(node).map(built));
    register.insert("SVMRegressor", |_, node| svm::regressor(node).map(built));
    register.insert("TreeEnsembleClassifier", |context, node| tree_ensemble::classifier(context, node).map(built));
    register.insert("TreeEnsembleRegressor", |context, node| tree_ensemble::regressor(context, node).map(built));
    // It goes between numbers and text, and there is no text here.
    register.0.remove("CategoryMapper");
}

/// An operator with one input.
trait Operator: Debug + Send + Sync + 'static {
    /// Its name in the specification.
    fn name(&self) -> &'static str;

    /// How many outputs it has.
    fn count(&self) -> usize {
        1
    }

    /// Type and shape of each output, from those of the input.
    fn outputs(&self, kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>>;

    /// Its arithmetic.
    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>>;
}

fn built(operator: impl Operator) -> Built {
    (expand(Own(Arc::new(operator))), Vec::new())
}

/// An operator as the runtime wants it, before and after types are known.
#[derive(Debug, Clone)]
struct Own(Arc<dyn Operator>);

/// The runtime asks for equality to merge equal nodes; the same operator is equal to itself, and that is enough.
impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Own {}

impl Own {
    fn run(&self, inputs: &[TValue]) -> TractResult<TVec<TValue>> {
        let [input] = inputs else {
            bail!("{} takes one input, not {}", self.0.name(), inputs.len());
        };
        Ok(self.0.apply(input)?.into_iter().map(IntoTValue::into_tvalue).collect())
    }
}

impl Expansion for Own {
    fn name(&self) -> StaticName {
        self.0.name().into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        Ok(self.0.count())
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, self.0.count())?;
        let [input] = inputs else { return Ok(()) };
        solver.given_2(&input.datum_type, &input.shape, move |solver, kind, shape| {
            for (output, (kind, shape)) in outputs.iter().zip(self.0.outputs(kind, &shape)?) {
                solver.equals(&output.datum_type, kind)?;
                solver.equals(&output.shape, shape)?;
            }
            Ok(())
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(prefix, self.clone(), inputs)
    }
}

impl Op for Own {
    fn name(&self) -> StaticName {
        self.0.name().into()
    }

    fn as_typed(&self) -> Option<&dyn TypedOp> {
        Some(self)
    }
}

impl EvalOp for Own {
    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        self.run(&inputs)
    }

    fn eval_out_of_plan(&self, inputs: TVec<TValue>) -> TractResult<Option<TVec<TValue>>> {
        self.run(&inputs).map(Some)
    }
}

impl TypedOp for Own {
    fn as_op(&self) -> &dyn Op {
        self
    }

    fn as_op_mut(&mut self) -> &mut dyn Op {
        self
    }

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [input] = inputs else {
            bail!("{} takes one input, not {}", self.0.name(), inputs.len());
        };
        let outputs = self.0.outputs(input.datum_type, &input.shape)?;
        Ok(outputs.into_iter().map(|(kind, shape)| TypedFact::dt_shape(kind, shape)).collect())
    }
}
