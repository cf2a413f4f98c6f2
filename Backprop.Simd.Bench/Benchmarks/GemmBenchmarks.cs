using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using BenchmarkDotNet.Attributes;

namespace Backprop.Simd.Bench;

/// <summary>Square products of float and double, the shapes of the notebook's network at batch 100, and skinny ones.</summary>
[Config(typeof(LimitsConfig))]
public class GemmBenchmarks : IHasWork
{
    private AlignedBuffer<float> _a = new(0), _b = new(0), _c = new(0);
    private AlignedBuffer<double> _da = new(0), _db = new(0), _dc = new(0);

    [Params("64x64x64", "256x256x256", "1024x1024x1024", "100x50x784", "784x50x100", "1x1024x1024", "1000x10x1000")]
    public string Shape { get; set; } = "";

    private int M => Size(0);

    private int N => Size(1);

    private int K => Size(2);

    public Work WorkOf(string method) => new(2.0 * M * N * K, IsDouble: method == nameof(DoublePrecision));

    [GlobalSetup]
    public void Setup()
    {
        (_a, _b, _c) = (new(M * K), new(K * N), new(M * N));
        (_da, _db, _dc) = (new(M * K), new(K * N), new(M * N));
        for (var i = 0; i < M * K; i++)
            _da.Span[i] = _a.Span[i] = i % 13 - 6;
        for (var i = 0; i < K * N; i++)
            _db.Span[i] = _b.Span[i] = i % 7 - 3;
    }

    [Benchmark]
    public void SinglePrecision() => Gemm.Multiply(new(_a.Span, M, K), new(_b.Span, K, N), new Matrix<float>(_c.Span, M, N));

    [Benchmark]
    public void SingleTransposedA() => Gemm.Multiply(new ReadOnlyMatrix<float>(_a.Span, K, M).Transposed, new(_b.Span, K, N), new Matrix<float>(_c.Span, M, N));

    [Benchmark]
    public void SingleTransposedB() => Gemm.Multiply(new(_a.Span, M, K), new ReadOnlyMatrix<float>(_b.Span, N, K).Transposed, new Matrix<float>(_c.Span, M, N));

    [Benchmark]
    public void DoublePrecision() => Gemm.Multiply(new(_da.Span, M, K), new(_db.Span, K, N), new Matrix<double>(_dc.Span, M, N));

    private int Size(int dimension) => int.Parse(Shape.Split('x')[dimension]);
}
