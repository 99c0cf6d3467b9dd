// node ort.cjs JOBS.json: runs models in ONNX Runtime (onnxruntime-node, found through NODE_PATH).
// A job is {model, inputs: [{name, type, dims, file}], out}; tensors are files of raw little-endian
// elements. For each job a line of JSON: {outputs: [{name, type, dims, file}]} or {error}.
const fs = require('fs'), path = require('path');
const ort = require('onnxruntime-node');

const arrays = {
  float32: Float32Array, int32: Int32Array, int64: BigInt64Array, uint8: Uint8Array, bool: Uint8Array,
};

function read({type, dims, file}) {
  const b = fs.readFileSync(file);
  const copy = b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength);
  return new ort.Tensor(type, new arrays[type](copy), dims);
}

async function run(job) {
  const session = await ort.InferenceSession.create(job.model, {
    executionProviders: ['cpu'], graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, logSeverityLevel: 3,
  });
  const feeds = Object.fromEntries(job.inputs.map(i => [i.name, read(i)]));
  const result = await session.run(feeds);
  const outputs = session.outputNames.map((name, i) => {
    const t = result[name], file = path.join(job.out, `output_${i}.raw`);
    fs.writeFileSync(file, Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength));
    return {name, type: t.type, dims: t.dims, file};
  });
  await session.release();
  return {outputs};
}

(async () => {
  for (const job of JSON.parse(fs.readFileSync(process.argv[2]))) {
    const answer = await run(job).catch(e => ({error: String(e.message)}));
    console.log(JSON.stringify(answer));
  }
})();
