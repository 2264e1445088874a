// What parts, sources and figures are called in the page's language.

export const zh = document.documentElement.lang === "zh";
export const say = (chinese, english) => (zh ? chinese : english);

const KINDS = { meter: say("电表", "meter"), camera: say("摄像机", "camera"), contact: say("开关量", "contact"), lamp: say("验证灯", "lamp") };

const PARTS = {
  detector: say("识别", "detector"),
  storage: say("存储", "storage"),
  uplink: say("上传", "uplink"),
  receipt: say("回执", "receipt"),
  province: say("上级平台公钥", "province keys"),
};

const ASPECTS = {
  incoming: say("进线", "incoming"),
  fan: say("主通风机", "main fan"),
  pump: say("排水泵", "drainage pump"),
  hoist: say("提升机", "hoist"),
  belt: say("带式输送机", "belt"),
  compressor: say("空压机", "compressor"),
  face: say("采掘工作面", "face"),
  living: say("生活用电", "living quarters"),
  other: say("其他", "other"),
  closed: say("常闭", "normally closed"),
  open: say("常开", "normally open"),
};

// In the order of their worth: a row shows the first few that its source has.
const FIGURES = {
  power_kw: [say("功率", "power"), "kW"],
  energy_import_kwh: [say("电量", "energy"), "kWh"],
  current_l1_a: [say("电流", "current"), "A"],
  voltage_l1_v: [say("电压", "voltage"), "V"],
  ct_ratio: [say("CT 变比", "CT ratio"), ""],
  pt_ratio: [say("PT 变比", "PT ratio"), ""],
  power_factor: [say("功率因数", "power factor"), ""],
  frequency_hz: [say("频率", "frequency"), "Hz"],
  current_l2_a: [say("B 相电流", "current L2"), "A"],
  current_l3_a: [say("C 相电流", "current L3"), "A"],
  voltage_l2_v: [say("B 相电压", "voltage L2"), "V"],
  voltage_l3_v: [say("C 相电压", "voltage L3"), "V"],
  power_l1_kw: [say("A 相功率", "power L1"), "kW"],
  power_l2_kw: [say("B 相功率", "power L2"), "kW"],
  power_l3_kw: [say("C 相功率", "power L3"), "kW"],
  energy_export_kwh: [say("反向电量", "energy out"), "kWh"],
  ct_primary_a: [say("CT 一次", "CT primary"), "A"],
  ct_secondary_a: [say("CT 二次", "CT secondary"), "A"],
  pt_primary_v: [say("PT 一次", "PT primary"), "V"],
  pt_secondary_v: [say("PT 二次", "PT secondary"), "V"],
  objects: [say("看到的人和车", "people and vehicles"), ""],
  brightness: [say("亮度", "brightness"), ""],
  sharpness: [say("清晰度", "sharpness"), ""],
  still_s: [say("画面未变", "unchanged for"), "s"],
  repeats: [say("重复画面", "pictures seen before"), ""],
  clock_read: [say("画面时钟可读", "clock in the picture read"), ""],
  lamp_seen: [say("看到验证灯", "challenge lamp seen"), ""],
  lamp_step: [say("验证灯亮度", "brighter by"), ""],
  gate_limit: [say("移动门限", "motion from"), ""],
};
const MAX_FIGURES = 6;
const LONG = 100; // numbers from here on are shown without a fraction

const number = (value) => String(Math.round(value * 100) / 100 >= LONG ? Math.round(value) : Math.round(value * 100) / 100);

export const part = (name) => PARTS[name] ?? name;
export const kind = (source) => [KINDS[source.kind], ASPECTS[source.aspect]].filter(Boolean).join(" · ");

export function figures(given) {
  if ("closed" in given) return given.closed ? say("闭合", "closed") : say("断开", "open");
  return Object.entries(FIGURES)
    .filter(([name]) => name in given)
    .slice(0, MAX_FIGURES)
    .map(([name, [title, unit]]) => `${title} ${number(given[name])} ${unit}`.trim())
    .join(say("，", ", "));
}

const GATES = {
  open: say("有移动", "motion"),
  quiet: say("无移动", "no motion"),
  calibrating: say("移动检测学习中", "learning what is usual"),
  blind: say("移动检测失效", "blind to motion"),
};

export const gate = (state) => GATES[state] ?? "";

// A camera's stream, and how much of it is decoded and why.
export function watched(given) {
  if (!given) return "";
  const stream = `${given.codec} ${given.width}×${given.height}`;
  return [stream, zh ? given.words.zh : given.words.en, given.late && (zh ? given.late.zh : given.late.en)].filter(Boolean).join(say("；", "; "));
}
