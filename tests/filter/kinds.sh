#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What `aianime info` and `aianime models` say of every kind of weight file: small files with telling names and shapes, their
# numbers zero (reliability A22, A29).

. "$(dirname "$0")/checks.sh"

# file NAME TENSOR[:SIDExSIDE...[:TYPE]]...: a safetensors file with these tensors, 1 element of F16 where nothing is said.
file() {
    python3 - "$tmp/$1" "${@:2}" <<'PYTHON'
import json
import math
import sys

header, end = {}, 0
for tensor in sys.argv[2:]:
    name, shape, kind, *_ = tensor.split(":") + ["", ""]
    shape = [int(side) for side in shape.split("x")] if shape else [1]
    size = math.prod(shape) * {"F32": 4, "I64": 8}.get(kind, 2)
    header[name] = {"dtype": kind or "F16", "shape": shape, "data_offsets": [end, end + size]}
    end += size
text = json.dumps(header).encode()
with open(sys.argv[1], "wb") as out:
    out.write(len(text).to_bytes(8, "little") + text)
    out.truncate(8 + len(text) + end)
PYTHON
}

# kind NAME KIND DIALECT FITS TENSOR...: patterns, of which the first two match the whole line; "" as dialect: there is none.
kind() {
    local name=$1 kind=$2 dialect=$3 fits=$4 line
    file one.safetensors "${@:5}"
    timeout 60 "$command" info "$tmp/one.safetensors" >"$tmp/log" 2>&1
    for line in "kind +$kind\$" "${dialect:+dialect +$dialect\$}" "fits +$fits"; do
        if [ -n "$line" ] && ! grep -Eq -- "^$line" "$tmp/log"; then
            fail "$name" "no '$line' in: $(grep -E '^(kind|dialect|fits|aianime)' "$tmp/log" | tr '\n' '|')"
            return
        fi
    done
    if [ -z "$dialect" ] && grep -q '^dialect' "$tmp/log"; then fail "$name" "$(grep '^dialect' "$tmp/log")"; else ok "$name"; fi
}

sd=model.diffusion_model.
unet=(${sd}input_blocks.0.0.weight:320x4x3x3 ${sd}output_blocks.11.0.skip_connection.weight)
clip=cond_stage_model.transformer.
kind "SD 1, single file" 'base checkpoint, Stable Diffusion 1' 'single file, autoencoder inside' 'the base of a template' \
    "${unet[@]}" first_stage_model.encoder.conv_in.weight ${clip}text_model.final_layer_norm.weight
kind "SD 1, without text_model., without VAE" 'base checkpoint, Stable Diffusion 1' 'single file, without text_model., no autoencoder' 'the base' \
    "${unet[@]}" ${clip}final_layer_norm.weight
kind "SD 1, EMA copies" 'base checkpoint, Stable Diffusion 1' '.*, EMA copies \(skipped\)' 'the base' \
    "${unet[@]}" ${clip}text_model.final_layer_norm.weight model_ema.decay
kind "SD 1, inpainting" 'base checkpoint, Stable Diffusion 1, for masked.*' 'single file.*' 'not read: its U-Net has 9 input channels' \
    ${sd}input_blocks.0.0.weight:320x9x3x3 ${clip}text_model.final_layer_norm.weight
kind "SD 2, single file" 'base checkpoint, Stable Diffusion 2' 'single file, .*' 'the base' "${unet[@]}" cond_stage_model.model.ln_final.weight
kind "SDXL, single file" 'base checkpoint, Stable Diffusion XL' 'single file' 'not read: Stable Diffusion 1 and 2 are' \
    "${unet[@]}" conditioner.embedders.0.transformer.text_model.final_layer_norm.weight
kind "Stable Diffusion 3" 'Stable Diffusion 3' '' 'not read' ${sd}joint_blocks.0.context_block.attn.proj.weight
kind "Flux" 'Flux' '' 'not read' double_blocks.0.img_attn.proj.weight
kind "U-Net alone, original names" 'U-Net, Stable Diffusion 1' 'original names' 'a base' \
    output_blocks.0.0.in_layers.0.weight output_blocks.3.1.transformer_blocks.0.attn2.to_k.weight:320x768
kind "U-Net, diffusers" 'U-Net, Stable Diffusion 2' 'diffusers names' 'a diffusers folder' \
    conv_norm_out.weight down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight:320x1024
kind "U-Net, diffusers, SDXL" 'U-Net, Stable Diffusion XL' 'diffusers names' 'not read' conv_norm_out.weight add_embedding.linear_1.weight

kind "VAE, bare" autoencoder 'original names, bare' 'any base' encoder.down.0.block.0.norm1.weight quant_conv.weight
kind "VAE, prefixed" autoencoder 'original names, first_stage_model.' 'any base' first_stage_model.encoder.down.0.block.0.norm1.weight
kind "VAE, diffusers" autoencoder 'diffusers names' 'any base' encoder.down_blocks.0.resnets.0.norm1.weight
kind "VAE, diffusers, old attention names" autoencoder 'diffusers names, old attention names' 'any base' \
    encoder.down_blocks.0.resnets.0.norm1.weight encoder.mid_block.attentions.0.query.weight
kind "TAESD, diffusers" 'tiny autoencoder \(TAESD\)' 'diffusers names' 'any base' encoder.layers.1.conv.0.weight decoder.layers.0.weight
kind "TAESD, its own names" 'tiny autoencoder \(TAESD\)' 'its own names' 'any base' taesd_encoder.1.conv.0.weight taesd_decoder.1.weight
kind "TAESD, encoder" 'tiny autoencoder \(TAESD\), encoder' 'its own names' '.*decoder beside it' 0.weight 1.conv.0.weight
kind "TAESD, decoder" 'tiny autoencoder \(TAESD\), decoder' 'its own names' '.*encoder beside it' 1.weight 3.conv.0.weight

attn2=transformer_blocks.0.attn2.to_k.weight
kind "ControlNet, original names" 'ControlNet, Stable Diffusion 1' 'original names, control_model.' 'bases of Stable Diffusion 1' \
    control_model.input_hint_block.0.weight:16x3x3x3 control_model.input_blocks.1.1.$attn2:320x768
kind "ControlNet, original names, bare" 'ControlNet, Stable Diffusion 2' 'original names' 'bases of Stable Diffusion 2' \
    input_hint_block.0.weight:16x3x3x3 input_blocks.1.1.$attn2:320x1024
kind "ControlNet, diffusers" 'ControlNet, Stable Diffusion 1' 'diffusers names' 'bases of Stable Diffusion 1' \
    controlnet_cond_embedding.conv_in.weight:16x3x3x3 down_blocks.0.attentions.0.$attn2:320x768
kind "TemporalNet 2" 'ControlNet on 6 channels \(TemporalNet 2\)' 'diffusers names' 'bases of Stable Diffusion 1' \
    controlnet_cond_embedding.conv_in.weight:16x6x3x3 down_blocks.0.attentions.0.$attn2:320x768
kind "ControlNet, SDXL" 'ControlNet, Stable Diffusion XL' 'diffusers names' 'not read' \
    controlnet_cond_embedding.conv_in.weight:16x3x3x3 down_blocks.1.attentions.0.$attn2:640x2048

k=lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k
kind "LoRA, kohya" LoRA 'kohya, diffusers block names' 'bases of Stable Diffusion 1' $k.lora_down.weight:4x768 $k.lora_up.weight:320x4 $k.alpha
o=lora_unet_output_blocks_5_1_transformer_blocks_0_attn2_to_k
kind "LoRA, kohya, original blocks" LoRA 'kohya, original block names' 'bases of Stable Diffusion 2' $o.lora_down.weight:4x1024 $o.alpha
kind "LoRA, text encoder only" LoRA 'kohya, text encoder only' 'a base' lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight
kind "LoRA, SDXL" LoRA 'kohya, .*' 'not read: it is for Stable Diffusion XL' $k.lora_down.weight:4x2048
kind "LoRA, SDXL by its second text encoder" LoRA 'kohya, .*' 'not read' $k.alpha $k.lora_up.weight lora_te2_text_model_x.lora_up.weight
p=down_blocks.0.attentions.0.transformer_blocks.0.attn2
kind "LoRA, diffusers" LoRA 'diffusers, processor names' 'bases of Stable Diffusion 1' unet.$p.processor.to_k_lora.down.weight:4x768
kind "LoRA, diffusers, text encoder" LoRA 'diffusers, lora_linear_layer' 'a base' text_encoder.x.q_proj.lora_linear_layer.down.weight
kind "LoRA, PEFT" LoRA PEFT 'bases of Stable Diffusion 1' unet.$p.to_k.lora_A.weight:4x768 unet.$p.to_k.lora_B.weight
kind "LoRA, PEFT, wrapped" LoRA 'PEFT, base_model.model.' 'bases of Stable Diffusion 1' base_model.model.$p.to_k.lora_A.default.weight:4x768
kind "LoCon" 'LoCon, with lora_mid' 'kohya, .*' 'a base' lora_unet_conv_in.lora_down.weight lora_unet_conv_in.lora_mid.weight
kind "LoHa" LoHa 'kohya, .*' 'bases of Stable Diffusion 1' $k.hada_w1_a $k.hada_w1_b:4x768 $k.hada_w2_a $k.hada_w2_b
kind "LoKr" LoKr 'kohya, .*' 'a base' $k.lokr_w1 $k.lokr_w2_a $k.lokr_w2_b
kind "DoRA" DoRA 'kohya, .*' 'bases of Stable Diffusion 1' $k.lora_down.weight:4x768 $k.dora_scale
kind "DoRA, PEFT" DoRA PEFT 'bases of Stable Diffusion 1' unet.$p.to_k.lora_A.weight:4x768 unet.$p.to_k.lora_magnitude_vector
kind "full differences" 'full differences' 'kohya, .*' 'a base' lora_unet_conv_in.diff lora_unet_conv_in.diff_b
kind "OFT" 'OFT or BOFT' LyCORIS 'not read' lora_unet_x.oft_blocks
kind "LoHa with DoRA" 'DoRA, LoHa' LyCORIS 'a base' lycoris_x.hada_w1_a lycoris_x.dora_scale

kind "TI, emb_params" 'textual inversion, 8 vectors' 'emb_params' 'bases of Stable Diffusion 1' emb_params:8x768:F32
kind "TI, string_to_param" 'textual inversion, 2 vectors' 'string_to_param' 'bases of Stable Diffusion 2' 'string_to_param.*:2x1024' string_to_token.x::I64
kind "TI, token" 'textual inversion, 1 vector' 'its token as the name \(diffusers\)' 'bases of Stable Diffusion 1' '<cat-toy>:768'
kind "TI, SDXL" 'textual inversion of Stable Diffusion XL' 'clip_l and clip_g' 'not read' clip_l:2x768 clip_g:2x1280

m=motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0
kind "motion module v1" 'motion module, AnimateDiff v1' AnimateDiff 'bases of Stable Diffusion 1, windows of at most 24 frames' \
    down_blocks.0.$m.pos_encoder.pe:1x24x32 up_blocks.3.$m.to_q.weight
kind "motion module v2" 'motion module, AnimateDiff v2' AnimateDiff '.* at most 32 frames' \
    down_blocks.0.$m.pos_encoder.pe:1x32x32 up_blocks.3.$m.to_q.weight mid_block.$m.to_q.weight
kind "motion module v3" 'motion module, AnimateDiff v3' AnimateDiff '.* at most 32 frames' down_blocks.0.$m.pos_encoder.pe:1x32x32 up_blocks.3.$m.to_q.weight
kind "AnimateLCM" 'motion module, AnimateLCM' AnimateDiff 'bases of Stable Diffusion 1$' mid_block.$m.to_q.weight up_blocks.3.$m.to_q.weight
kind "HotShot-XL" 'motion module, HotShot-XL' '' 'not read' down_blocks.1.temporal_attentions.0.norm.weight
kind "PIA" 'motion module that starts from a picture.*' AnimateDiff 'not read' conv_in.weight:8x9x3x3 down_blocks.0.$m.to_q.weight
kind "MotionAdapter" 'motion module, AnimateDiff v3' 'diffusers MotionAdapter' '.* at most 32 frames' \
    down_blocks.0.motion_modules.0.transformer_blocks.0.pos_embed.pe:1x32x32 up_blocks.3.motion_modules.0.norm.weight
kind "motion module, SDXL" 'motion module of Stable Diffusion XL' AnimateDiff 'not read' down_blocks.0.$m.to_q.weight up_blocks.2.$m.to_q.weight
kind "SparseCtrl" SparseCtrl AnimateDiff 'not read' down_blocks.0.$m.to_q.weight controlnet_cond_embedding.conv_in.weight
kind "motion LoRA" 'motion LoRA' 'diffusers, processor names' 'motion module v2' down_blocks.0.$m.processor.to_q_lora.down.weight
kind "motion LoRA, PEFT" 'motion LoRA' 'PEFT' 'motion module v2' unet.down_blocks.0.motion_modules.0.transformer_blocks.0.attn1.to_q.lora_A.weight

ip=ip_adapter.1.to_k_ip.weight
kind "IP-Adapter" 'IP-Adapter, base or light, 4 tokens' '' 'bases of Stable Diffusion 1, with the vision tower ViT-H/14' \
    image_proj.proj.weight:3072x1024 image_proj.norm.weight:768 $ip
kind "IP-Adapter, ViT-bigG" 'IP-Adapter, base or light, 4 tokens' '' 'bases of Stable Diffusion 1, with the vision tower ViT-bigG/14' \
    image_proj.proj.weight:3072x1280 image_proj.norm.weight:768 $ip
kind "IP-Adapter, SDXL" 'IP-Adapter, base or light, 4 tokens' '' 'not read: it is for Stable Diffusion XL' \
    image_proj.proj.weight:8192x1280 image_proj.norm.weight:2048 $ip
kind "IP-Adapter plus" 'IP-Adapter plus, 16 tokens' '' 'bases of Stable Diffusion 1' \
    image_proj.latents:1x16x768 image_proj.proj_in.weight:768x1280 image_proj.proj_out.weight:768x768 $ip
kind "IP-Adapter, training code" 'IP-Adapter, base or light, 4 tokens' 'names of the training code' 'bases of Stable Diffusion 2' \
    image_proj_model.proj.weight:4096x1024 image_proj_model.norm.weight:1024 adapter_modules.1.to_k_ip.weight
kind "IP-Adapter full face" 'IP-Adapter full face' '' 'bases of Stable Diffusion 1' \
    image_proj.proj.0.weight:1280x1280 image_proj.proj.2.weight image_proj.proj.3.weight:768 $ip
kind "IP-Adapter FaceID" 'IP-Adapter FaceID' '' 'not read' ip_adapter.0.to_q_lora.down.weight image_proj.proj.0.weight
grep -Eq '^license +noncommercial: .*told by its tensors\); instead: ip-adapter-plus-face' "$tmp/log" && ok "and its licence" ||
    fail "and its licence" "$(grep '^license' "$tmp/log")"
kind "IP-Adapter FaceID portrait" 'IP-Adapter FaceID portrait' '' 'not read' image_proj.proj.0.weight image_proj.proj.2.weight
kind "CLIP vision, ViT-H" 'CLIP vision tower ViT-H/14' transformers IP-Adapters \
    vision_model.embeddings.class_embedding:1280 visual_projection.weight
kind "CLIP vision, OpenCLIP" 'CLIP vision tower' OpenCLIP 'not read' visual.transformer.resblocks.0.attn.in_proj_weight
kind "CLIP text and vision" 'CLIP, text and vision towers' transformers 'captioner "clip"' vision_model.x text_model.embeddings.token_embedding.weight
kind "CLIP text" 'CLIP text encoder' 'transformers names' 'bases of Stable Diffusion 1' text_model.embeddings.token_embedding.weight:9x768
kind "CLIP text, without text_model." 'CLIP text encoder' '.*, without text_model.' 'bases' embeddings.token_embedding.weight:9x768
kind "CLIP text, OpenCLIP" 'CLIP text encoder' 'OpenCLIP names' 'bases of Stable Diffusion 2' \
    transformer.resblocks.0.attn.in_proj_weight token_embedding.weight:9x1024

kind "lineart" 'annotator lineart .*' '' 'ControlNets on lines' model0.1.weight model2.0.conv_block.1.weight
kind "lineart_anime" 'annotator lineart_anime .*' '' 'ControlNets on anime lines' model.model.0.weight model.model.1.model.1.weight
kind "HED" 'annotator softedge .*' '' 'ControlNets on soft edges' norm block1.convs.0.weight
kind "MiDaS" 'annotator depth .*' '' 'ControlNets on depth' pretrained.model.patch_embed.backbone.stem.conv.weight
kind "MiDaS, transformers" 'annotator depth .*transformers names.*' '' 'ControlNets on depth' dpt.embeddings.cls_token:1x1x8
kind "openpose" 'annotator openpose .*' '' 'ControlNets on poses' model0.conv1_1.weight model6_2.Mconv7_stage6_L2.weight
grep -Eq '^license +noncommercial: .*told by its tensors' "$tmp/log" && ok "openpose's licence" || fail "openpose's licence" "$(grep '^license' "$tmp/log")"
u=update_block.flow_head.conv2.weight
kind "RAFT large" 'optical flow \(RAFT\), large' "torchvision's names" 'any base, as flow_model' \
    feature_encoder.convnormrelu.0.weight mask_predictor.conv.weight $u
kind "RAFT small" 'optical flow \(RAFT\), small' "torchvision's names" 'any base, as flow_model' feature_encoder.convnormrelu.0.weight $u
kind "RAFT large, original" 'optical flow \(RAFT\), large' 'original names' 'any base' module.fnet.conv1.weight module.update_block.mask.2.weight
kind "RAFT small, original" 'optical flow \(RAFT\), small' 'original names' 'any base' module.fnet.conv1.weight module.$u
kind "BLIP-2" 'BLIP-2 captioner with OPT, or a shard of it' '' 'auto_caption blip2' language_model.model.decoder.embed_positions.weight \
    vision_model.embeddings.class_embedding
kind "BLIP-2, a later shard" 'BLIP-2 captioner with OPT, or a shard of it' '' 'auto_caption' language_model.model.decoder.layers.20.fc1.weight
kind "BLIP-2, an early shard" 'BLIP-2 captioner, a shard of it' '' 'auto_caption' vision_model.encoder.layers.0.self_attn.qkv.bias
kind "BLIP-2 with T5" 'BLIP-2 captioner with T5, or a shard of it' '' 'not read' language_model.encoder.block.0.layer.0.SelfAttention.q.weight
if "$command" info "$root/tests/golden/blip2/sharded" >"$tmp/log" 2>&1 && grep -q '^kind  *BLIP-2' "$tmp/log" && grep -q '^license  *noncommercial' "$tmp/log" &&
    grep -q '^complete  *yes' "$tmp/log"; then ok "BLIP-2 folder"; else fail "BLIP-2 folder" "$(cat "$tmp/log")"; fi
vit=(patch_embed.proj.weight pos_embed:1x4x8 blocks.0.attn.qkv.weight)
kind "WD tagger" 'WD tagger on a vision transformer, 16 tags' timm 'captioner "wd", with selected_tags.csv' "${vit[@]}" head.weight:16x8
kind "timm's classifier" 'image classifier on a vision transformer' timm 'not read' "${vit[@]}" cls_token head.weight:16x8
kind "WD tagger, SwinV2" 'WD tagger on SwinV2, 10861 tags' timm 'not read: wd-vit-tagger-v3' \
    layers.0.blocks.0.attn.logit_scale head.fc.weight:10861x1
kind "WD tagger, ConvNeXt" 'WD tagger on ConvNeXt, 10861 tags' timm 'not read' stages.0.blocks.0.conv_dw.weight head.fc.weight:10861x1
kind "WD tagger, EVA02" 'WD tagger on EVA02, 10861 tags' timm 'not read' blocks.0.attn.q_proj.weight head.weight:10861x1
kind "unknown" 'unknown' '' 'not read' something.else

# --- folders of captioners ------------------------------------------------------------------------------------------------

cp -r "$root/tests/golden/vit_tagger/mean_of_norm" "$root/tests/golden/clip_phrases/current" "$tmp/"
try "folder of a WD tagger" 0 '^kind +WD tagger$' info "$tmp/mean_of_norm"
says "folder of a WD tagger, its tags" '^tags +9 general, 3 of characters, 4 ratings'
says "folder of a WD tagger, its network" '^network +vision transformer, .* parameters, pictures of 32x32$'
echo '7,one_more,0,1' >>"$tmp/mean_of_norm/selected_tags.csv"
try "folder of a WD tagger, a list of another" 183 '17 tags, but the network tells 16' info "$tmp/mean_of_norm"
rm "$tmp/mean_of_norm/model.safetensors"
try "folder of a WD tagger without weights" 254 'no weights' info "$tmp/mean_of_norm"
try "folder of a CLIP" 0 '^kind +CLIP, text and vision towers$' info "$tmp/current"
says "folder of a CLIP, its tokenizer" '^tokenizer +its own$'

# --- precision, numbers, lists -------------------------------------------------------------------------------------------

file mixed.safetensors a:2:F32 b:3:F16 c:4:BF16
"$command" info "$tmp/mixed.safetensors" >"$tmp/log" 2>&1
[ "$(grep -c -E '^(precision)? +(BF16|F16|F32): 1 tensor' "$tmp/log")" = 3 ] && ok "mixed precision" || fail "mixed precision" "$(cat "$tmp/log")"

# nan NAME TYPE BYTES: the file's last bytes are BYTES.
nan() {
    file nan.safetensors good:4:F16 bad:40:"$2"
    truncate -s "-$((${#3} / 4))" "$tmp/nan.safetensors"
    printf "$3" >>"$tmp/nan.safetensors"
    "$command" info "$tmp/nan.safetensors" >"$tmp/log" 2>&1
    case $?$1 in
    223*) grep -q '1 tensor with values that are not finite, the first is bad' "$tmp/log" && ok "$1" || fail "$1" "$(cat "$tmp/log")" ;;
    0*largest*) ok "$1" ;;
    *) fail "$1" "$(tail -n 1 "$tmp/log")" ;;
    esac
}
nan "NaN in F16" F16 '\x01\x7c'
nan "infinity in F32" F32 '\x00\x00\x80\xff'
nan "NaN in BF16" BF16 '\xc0\x7f'
nan "largest number of F16" F16 '\xff\x7b'

mkdir -p "$tmp/models/loras" "$tmp/models/lost"
file models/loras/style.safetensors $k.lora_down.weight:4x768
file models/face.safetensors ip_adapter.0.to_q_lora.down.weight
file models/xl.safetensors conditioner.embedders.0.x
printf '\200\002}.' >"$tmp/models/old.ckpt"
printf 'oops' >"$tmp/models/cut.safetensors"
ln -s "$tmp/models" "$tmp/models/lost/loop"
size=$(find "$root/models/pocket" -type f -printf '%s\n' | awk '{ s += $1 } END { printf "%.1f", s / 1e6 }')
AIANIME_MODELS=$tmp/models timeout 60 "$command" models >"$tmp/log" 2>&1
code=$?
if [ "$(grep -c '^  face\.' "$tmp/log")" = 1 ] && ! grep -q loop "$tmp/log"; then ok "a link that leads back"; else fail "a link that leads back" "$(grep loop "$tmp/log")"; fi
for line in 'loras/style\.safetensors +LoRA \(kohya, diffusers block names\) +F16 +6\...? kB +unknown' \
    'face\.safetensors +IP-Adapter FaceID .*noncommercial' "pocket +pack +${size/./\\.} MB +CC0-1\.0" 'old\.ckpt +pickle' \
    '! .*never opened; convert it with tools/convert_pickle\.py' 'cut\.safetensors +unusable' '! .*too small' \
    'xl\.safetensors +base checkpoint, Stable Diffusion XL' '! not read: Stable Diffusion 1 and 2 are'; do
    if [ $code = 0 ] && grep -Eq -- "$line" "$tmp/log"; then ok "list: $line"; else fail "list: $line" "exit $code: $(tr '\n' '|' <"$tmp/log")"; fi
done
"$command" models x >"$tmp/log" 2>&1
[ $? = 234 ] && ok "models takes no arguments" || fail "models takes no arguments" "$(cat "$tmp/log")"

finish
