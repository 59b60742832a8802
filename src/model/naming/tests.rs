use super::*;
use crate::model::{NormConfig, build};
use crate::seed::Seed;
use candle_core::{DType, Device};

fn network(architecture: Architecture) -> Parameters {
    let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
    build(architecture, &mut parameters.root(), NormConfig::default()).unwrap();
    parameters
}

fn number(value: f32) -> Tensor {
    Tensor::new(&[value], &Device::Cpu).unwrap()
}

/// Our tensors as the foreign file has them.
fn foreign(architecture: Architecture, naming: Naming, parameters: &Parameters) -> BTreeMap<String, Tensor> {
    let mut file = BTreeMap::new();
    for (own, tensor) in parameters.tensors() {
        match naming.place(architecture, &own) {
            TensorPlace::Whole(name) => drop(file.insert(name, tensor)),
            TensorPlace::Turned(name) => drop(file.insert(name, tensor.t().unwrap().contiguous().unwrap())),
            TensorPlace::Squeezed(name) => drop(file.insert(name, tensor.unsqueeze(0).unwrap())),
            TensorPlace::Rows(names) => file.extend(names.into_iter().zip(tensor.chunk(3, 0).unwrap())),
        }
    }
    file
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn naming_names_agree_with_serde_and_parsing() {
    for naming in Naming::ALL {
        assert_eq!(naming.name().parse::<Naming>().unwrap(), naming);
        assert_eq!(serde_json::to_value(naming).unwrap(), naming.name());
    }
    assert!("keras".parse::<Naming>().unwrap_err().to_string().contains("timm, transformers, openai"));
}

#[test]
fn every_naming_is_found_and_gives_the_tensors_back() {
    for architecture in Architecture::ALL {
        let parameters = network(architecture);
        for &naming in Naming::of(architecture) {
            let mut file = foreign(architecture, naming, &parameters);
            if let Some(mark) = naming.mark(architecture) {
                file.entry(mark.into()).or_insert_with(|| number(0.0)); // a classifier's
                assert_eq!(Naming::find(architecture, file.keys().map(String::as_str)), naming, "{architecture}");
            }
            let (tensors, report) = translate(architecture, naming, &parameters, &file).unwrap();
            assert_eq!(report.loaded.len(), tensors.len());
            assert!(tensors.keys().eq(parameters.tensors().keys()), "{architecture} {naming}");
            for (name, tensor) in parameters.tensors() {
                assert_eq!(tensors[&name].dims(), tensor.dims());
                assert_eq!(flat(&tensors[&name]), flat(&tensor), "{architecture} {naming} {name}");
            }
        }
    }
}

#[test]
fn translate_names_a_missing_tensor_as_the_file_does() {
    let (architecture, naming) = (Architecture::ClipVitB32, Naming::Transformers);
    let parameters = network(architecture);
    let whole = foreign(architecture, naming, &parameters);
    for name in ["self_attn.q_proj.bias", "self_attn.v_proj.weight", "mlp.fc1.weight", "layer_norm2.bias"] {
        let name = format!("vision_model.encoder.layers.7.{name}");
        let mut file = whole.clone();
        assert!(file.remove(&name).is_some(), "{name}");
        let error = translate(architecture, naming, &parameters, &file).unwrap_err().to_string();
        assert!(error.contains(&format!("the network's 152 tensors, found 1 missing ({name})")), "{error}");
    }
}

#[test]
fn translate_names_extra_tensors_unless_allowed() {
    for (architecture, naming, allowed, refused) in [
        (Architecture::ResNet18, Naming::Torchvision, "fc.bias", "fcc.bias"),
        (Architecture::ResNet50, Naming::Timm, "layer1.0.bn1.num_batches_tracked", "layer1.0.bn4.weight"),
        (Architecture::InceptionV3, Naming::Torchvision, "AuxLogits.conv0.conv.weight", "Mixed_7d.branch1x1.bn.bias"),
        (Architecture::InceptionV3, Naming::Torchvision, "fc.weight", "AuxLogit.fc.weight"),
        (Architecture::Vgg16, Naming::Torchvision, "classifier.6.bias", "pre_logits.fc1.weight"),
        (Architecture::Vgg16, Naming::Timm, "head.fc.bias", "classifier.6.bias"),
        (Architecture::EfficientNetLite0, Naming::Own, "_fc.weight", "conv_stem.weight"),
        (Architecture::EfficientNetLite0, Naming::Timm, "classifier.weight", "_conv_stem.weight"),
        (Architecture::ClipVitB32, Naming::OpenAi, "positional_embedding", "visual.ln_mid.bias"),
        (Architecture::ClipVitB32, Naming::Transformers, "text_model.final_layer_norm.bias", "vision_model.x"),
        (Architecture::ClipVitB32, Naming::Timm, "head.bias", "fc_norm.weight"),
        (Architecture::Mini, Naming::Own, "fc.weight", "head.weight"),
    ] {
        let parameters = network(architecture);
        let mut file = foreign(architecture, naming, &parameters);
        file.insert(allowed.into(), number(0.0));
        let (tensors, report) = translate(architecture, naming, &parameters, &file).unwrap();
        assert_eq!(report.extra, [allowed]);
        assert!(tensors.keys().eq(parameters.tensors().keys()), "{allowed} went into the network");
        file.insert(refused.into(), number(0.0));
        let error = translate(architecture, naming, &parameters, &file).unwrap_err().to_string();
        assert!(error.contains(&format!("1 extra ({refused})")), "{error}");
    }
}

#[test]
fn translate_names_both_shapes_of_a_misshapen_tensor() {
    let architecture = Architecture::ClipVitB32;
    let parameters = network(architecture);
    for (naming, name, found, expected) in [
        (Naming::Transformers, "visual_projection.weight", vec![768, 512], "[512, 768]"),
        (Naming::Transformers, "vision_model.encoder.layers.0.self_attn.k_proj.weight", vec![768, 64], "[768, 768]"),
        (Naming::Transformers, "vision_model.embeddings.class_embedding", vec![1, 768], "[768]"),
        (Naming::Timm, "pos_embed", vec![1, 197, 768], "[50, 768]"),
        (Naming::Timm, "blocks.11.attn.qkv.bias", vec![768], "[2304]"),
        (Naming::OpenAi, "visual.conv1.weight", vec![768, 3, 16, 16], "[768, 3, 32, 32]"),
    ] {
        let mut file = foreign(architecture, naming, &parameters);
        file.insert(name.into(), Tensor::zeros(found.clone(), DType::F32, &Device::Cpu).unwrap()).unwrap();
        let error = translate(architecture, naming, &parameters, &file).unwrap_err().to_string();
        let part = format!("1 of another shape ({name}: expected {expected}, found {found:?})");
        assert!(error.contains(&part), "{error}");
    }
}

#[test]
fn translate_refuses_a_bias_it_would_lose() {
    let (architecture, naming) = (Architecture::ClipVitB32, Naming::Timm);
    let parameters = network(architecture);
    let mut file = foreign(architecture, naming, &parameters);
    file.insert("head.bias".into(), number(-0.25));
    let error = translate(architecture, naming, &parameters, &file).unwrap_err().to_string();
    assert!(error.contains("head.bias") && error.contains("up to 0.25"), "{error}");
}

#[test]
fn translate_refuses_an_unknown_naming() {
    let parameters = network(Architecture::Mini);
    let error = translate(Architecture::Mini, Naming::Timm, &parameters, &parameters.tensors()).unwrap_err();
    assert!(error.to_string().contains("naming of mini: expected one of own, found timm"), "{error}");
    let none: [&str; 0] = [];
    for architecture in Architecture::ALL {
        assert_eq!(Naming::find(architecture, none), Naming::Own);
    }
}

#[test]
fn timm_counts_blocks_within_stages() {
    let place = |own: &str| Naming::Timm.place(Architecture::EfficientNetLite0, own);
    for (own, timm) in [
        ("_blocks.0._depthwise_conv.weight", "blocks.0.0.conv_dw.weight"),
        ("_blocks.0._project_conv.weight", "blocks.0.0.conv_pw.weight"),
        ("_blocks.0._bn2.running_var", "blocks.0.0.bn2.running_var"),
        ("_blocks.2._expand_conv.weight", "blocks.1.1.conv_pw.weight"),
        ("_blocks.15._bn2.bias", "blocks.6.0.bn3.bias"),
        ("_bn1.bias", "bn2.bias"),
    ] {
        assert_eq!(place(own), TensorPlace::Whole(timm.into()));
    }
}
