// Writes every drawing layer (slot, option, colour) of the avataaars set as one SVG per line.
// usage: node layers.mjs attributes.json out.jsonl     (DICEBEAR=folder that holds node_modules)
import fs from 'fs';
import { face, skin, slot, svg } from './drawing.mjs';

const [attrFile, outFile] = process.argv.slice(2);
const A = JSON.parse(fs.readFileSync(attrFile));
const rows = [];
const put = (key, body) => rows.push({ key, svg: svg(body) });
for (const [k, v] of Object.entries(A.skin)) put(`skin/${k}`, skin(v.hex));
for (const [k, v] of Object.entries(A.clothes))
  for (const [c, cv] of Object.entries(A.clothes_color)) put(`clothes/${k}/${c}`, slot('clothing', v.layer, '#' + cv.hex));
for (const [k, v] of Object.entries(A.hair))
  for (const [c, cv] of Object.entries(v.hat ? A.clothes_color : A.hair_color)) put(`hair/${k}/${c}`, slot('top', v.layer, '#' + cv.hex));
for (const [k, v] of Object.entries(A.facial_hair))
  if (v.layer) for (const [c, cv] of Object.entries(A.hair_color)) put(`facial_hair/${k}/${c}`, slot('facialHair', v.layer, '#' + cv.hex));
for (const [k, v] of Object.entries(A.accessory)) if (v.layer) put(`accessory/${k}`, slot('accessories', v.layer, '#262e33'));
for (const [k, v] of Object.entries(A.expression)) put(`face/${k}`, face(v));
fs.writeFileSync(outFile, rows.map(r => JSON.stringify(r)).join('\n') + '\n');
console.log(rows.length, 'layers');
