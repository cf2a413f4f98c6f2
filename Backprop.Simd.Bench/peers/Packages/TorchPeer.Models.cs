using Backprop.Simd.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Backprop.Simd.Bench;

internal sealed partial class TorchPeer
{
    /// <summary>The same networks from LibTorch's fastest pieces: its fused LSTM, scaled dot-product attention, interpolate, ctc_loss.</summary>
    public Call? Train(Model model)
    {
        var network = model.Create();
        var parameters = new List<Parameter>();
        var inputs = new Dictionary<string, Tensor>();
        foreach (var name in network.Definition.InputNames)
        {
            var type = network.Definition.TypeOf(name);
            long[] shape = [model.Batch, .. Enumerable.Range(0, type.Shape.Rank).Select(i => (long)type.Shape[i])];
            inputs[name] = type.Kind == EdgeKind.Indices
                ? tensor(Array.ConvertAll(model.Indices(name, type), i => (long)i)).reshape(shape) : tensor(model.Values(name, type)).reshape(shape);
        }

        foreach (var entry in network.Definition.Parameters.Entries)
        {
            using var stored = tensor(network.ParameterOf(entry.Name).ToArray());
            parameters.Add(new Parameter(TorchLayout(stored, entry.Shape, isChannelsLast: model.Name == ModelCases.SqueezeExcite)));
        }

        var x = inputs.GetValueOrDefault("x")!;
        List<Parameter> p = parameters;
        Func<Tensor> loss;
        List<IDisposable> owned = [.. inputs.Values];
        switch (model.Name)
        {
            case ModelCases.Lstm:
                var lstm = Lstm(parameters);
                owned.Add(lstm);
                p = [.. lstm.parameters(), .. parameters[^2..]];
                loss = () => nn.functional.cross_entropy(LastStates(lstm, x, p), inputs["labels"].flatten());
                break;
            case ModelCases.Attention:
                using (var positions = arange(x.shape[1]))
                    owned.Add(inputs["mask"] = positions.lt(inputs["lengths"].unsqueeze(1)).reshape(model.Batch, 1, 1, x.shape[1]));
                loss = () => nn.functional.mse_loss(Attention(x, inputs["mask"], p), inputs["targets"]);
                break;
            case ModelCases.SqueezeExcite:
                owned.Add(x = x.permute(0, 3, 1, 2));
                loss = () => nn.functional.cross_entropy(SqueezeExcite(x, p), inputs["labels"].flatten());
                break;
            case ModelCases.UShape:
                owned.Add(x = x.permute(0, 3, 1, 2).contiguous());
                owned.Add(inputs["targets"] = inputs["targets"].permute(0, 3, 1, 2).contiguous());
                loss = () => nn.functional.mse_loss(UShape(x, p), inputs["targets"]);
                break;
            case ModelCases.Ctc:
                loss = () => nn.functional.ctc_loss(nn.functional.linear(x, p[0], p[1]).log_softmax(2).transpose(0, 1), inputs["labels"],
                    inputs["steps"], inputs["counts"]);
                break;
            default:
                return null;
        }

        return Training(loss, p, optim.Adam(p, Model.LearningRate), owned);
    }

    /// <summary>Weights of products are [outputs, inputs] there, filters [F, C, kh, kw], in memory with C last where that is faster.</summary>
    private static Tensor TorchLayout(Tensor stored, Shape shape, bool isChannelsLast)
    {
        if (shape.Rank < 2)
            return stored.clone();
        using var shaped = stored.reshape([.. Enumerable.Range(0, shape.Rank).Select(i => (long)shape[i])]);
        return shape.Rank == 2 ? shaped.t().contiguous()
            : isChannelsLast ? shaped.permute(3, 0, 1, 2).contiguous().permute(0, 3, 1, 2) : shaped.permute(3, 2, 0, 1).contiguous();
    }

    /// <summary>Its LSTM has two biases where ours has one; the second is zero.</summary>
    private static LSTM Lstm(List<Parameter> p)
    {
        var lstm = nn.LSTM(p[0].shape[1], ModelCases.LstmUnits, batchFirst: true, bidirectional: true);
        using var mode = no_grad();
        Tensor[] values = [p[0], p[1], p[2], zeros_like(p[2]), p[3], p[4], p[5], zeros_like(p[5])];
        foreach (var (parameter, value) in lstm.parameters().Zip(values))
            parameter.copy_(value);
        lstm.flatten_parameters();
        return lstm;
    }

    /// <summary>The states of the first direction at the last step, and of the second at the first.</summary>
    private static Tensor LastStates(LSTM lstm, Tensor x, List<Parameter> p)
    {
        var (_, hidden, _) = lstm.call(x);
        return nn.functional.linear(cat([hidden[0], hidden[1]], 1), p[^2], p[^1]);
    }

    private static Tensor Attention(Tensor x, Tensor mask, List<Parameter> p)
    {
        Tensor Project(int first) =>
            nn.functional.linear(x, p[first], p[first + 1]).reshape(x.shape[0], x.shape[1], ModelCases.Heads, -1).transpose(1, 2);
        var mixed = nn.functional.scaled_dot_product_attention(Project(0), Project(2), Project(4), attn_mask: mask);
        return nn.functional.linear(mixed.transpose(1, 2).reshape(x.shape), p[6], p[7]);
    }

    private static Tensor SqueezeExcite(Tensor x, List<Parameter> p)
    {
        Tensor Block(Tensor images, int first)
        {
            var y = nn.functional.conv2d(images, p[first], p[first + 1], padding: [1, 1]).relu_();
            var scales = nn.functional.linear(y.mean([2, 3]), p[first + 2], p[first + 3]).relu_();
            return y * nn.functional.linear(scales, p[first + 4], p[first + 5]).sigmoid_().unsqueeze(2).unsqueeze(3);
        }

        return nn.functional.linear(Block(nn.functional.max_pool2d(Block(x, 0), 2), 6).mean([2, 3]), p[12], p[13]);
    }

    private static Tensor UShape(Tensor x, List<Parameter> p)
    {
        Tensor Block(Tensor images, int first)
        {
            var y = nn.functional.conv2d(images, p[first], p[first + 1], padding: [1, 1]);
            return nn.functional.batch_norm(y, null!, null!, p[first + 2], p[first + 3], training: true).relu_();
        }

        static Tensor Up(Tensor images) =>
            nn.functional.interpolate(images, scale_factor: [2.0, 2.0], mode: InterpolationMode.Bilinear, align_corners: false);
        var top = Block(x, 0);
        var middle = Block(nn.functional.max_pool2d(top, 2), 4);
        var bottom = Block(nn.functional.max_pool2d(middle, 2), 8);
        var up = Block(cat([Up(bottom), middle], 1), 12);
        return nn.functional.conv2d(Block(cat([Up(up), top], 1), 16), p[20], p[21]);
    }
}
