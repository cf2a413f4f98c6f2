using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Recurrences: each in one direction, in both, and in several layers.</content>
public static partial class NodeChain
{
    /// <summary>A simple recurrence over a sequence. <see cref="RnnLast"/> gives the last hidden state,
    /// <see cref="GraphBuilder.ApplyAll"/> all outputs.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="function">Tanh or ReLU.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <returns>The hidden states of all steps, [T, H].</returns>
    public static Node Rnn(
        this Node node, int units, Node? lengths = null, RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null,
        bool reverse = false) =>
        WithLengths(node, new Rnn(units, function, initializer, reverse), lengths)[0];

    /// <summary>The last hidden state of a simple recurrence over a sequence, to classify it for example.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="function">Tanh or ReLU.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <returns>The hidden state at each row's end, or at its first step if it is read backward, [H].</returns>
    public static Node RnnLast(
        this Node node, int units, Node? lengths = null, RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null,
        bool reverse = false) =>
        WithLengths(node, new Rnn(units, function, initializer, reverse), lengths)[1];

    /// <summary>Two layers of a simple recurrence, the first reading forward, the second backward, side by side.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="function">Tanh or ReLU.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <returns>The hidden states of all steps, [T, 2H].</returns>
    public static Node BidirectionalRnn(
        this Node node, int units, Node? lengths = null, RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null) =>
        Both(node, lengths, 0, reverse => new Rnn(units, function, initializer, reverse));

    /// <summary>The last hidden states of two layers of a simple recurrence, the first reading forward, the second backward, side by side.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="function">Tanh or ReLU.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <returns>The hidden states at each row's end and at its first step, [2H].</returns>
    public static Node BidirectionalRnnLast(
        this Node node, int units, Node? lengths = null, RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null) =>
        Both(node, lengths, 1, reverse => new Rnn(units, function, initializer, reverse));

    /// <summary>Several layers of a simple recurrence, each over the hidden states of the layer below it.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="dropout">The probability that an element between two layers is dropped in training.</param>
    /// <param name="bidirectional">Whether each layer reads in both directions.</param>
    /// <param name="function">Tanh or ReLU.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <returns>The hidden states of all steps of the last layer, [T, H] or [T, 2H].</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="layers"/> is below 1 or above 1000, or
    /// <paramref name="dropout"/> outside [0, 1].</exception>
    public static Node StackedRnn(
        this Node node, int units, int layers, Node? lengths = null, double dropout = 0, bool bidirectional = false,
        RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null) =>
        Stacked(node, layers, lengths, dropout, bidirectional, 0, reverse => new Rnn(units, function, initializer, reverse));

    /// <summary>The last hidden state of several layers of a simple recurrence, each over the hidden states of the layer below it.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="dropout">The probability that an element between two layers is dropped in training.</param>
    /// <param name="bidirectional">Whether each layer reads in both directions.</param>
    /// <param name="function">Tanh or ReLU.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <returns>The last hidden state of the last layer, [H] or [2H].</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="layers"/> is below 1 or above 1000, or
    /// <paramref name="dropout"/> outside [0, 1].</exception>
    public static Node StackedRnnLast(
        this Node node, int units, int layers, Node? lengths = null, double dropout = 0, bool bidirectional = false,
        RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null) =>
        Stacked(node, layers, lengths, dropout, bidirectional, 1, reverse => new Rnn(units, function, initializer, reverse));

    /// <summary>A long short-term memory over a sequence. <see cref="LstmLast"/> gives the last hidden state,
    /// <see cref="GraphBuilder.ApplyAll"/> all outputs.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="forgetBias">The initial bias of the forget gate.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <param name="projection">P, the size of h behind a projection; null for none.</param>
    /// <returns>The hidden states of all steps, [T, H].</returns>
    public static Node Lstm(
        this Node node, int units, Node? lengths = null, double forgetBias = 1, Initializer? initializer = null,
        bool reverse = false, int? projection = null) =>
        WithLengths(node, new Lstm(units, forgetBias, initializer, reverse, projection), lengths)[0];

    /// <summary>The last hidden state of a long short-term memory over a sequence, to classify it for example.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="forgetBias">The initial bias of the forget gate.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <param name="projection">P, the size of h behind a projection; null for none.</param>
    /// <returns>The hidden state at each row's end, or at its first step if it is read backward, [H].</returns>
    public static Node LstmLast(
        this Node node, int units, Node? lengths = null, double forgetBias = 1, Initializer? initializer = null,
        bool reverse = false, int? projection = null) =>
        WithLengths(node, new Lstm(units, forgetBias, initializer, reverse, projection), lengths)[1];

    /// <summary>Two layers of a long short-term memory, the first reading forward, the second backward, side by side.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="forgetBias">The initial bias of the forget gate.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <returns>The hidden states of all steps, [T, 2H].</returns>
    public static Node BidirectionalLstm(
        this Node node, int units, Node? lengths = null, double forgetBias = 1, Initializer? initializer = null) =>
        Both(node, lengths, 0, reverse => new Lstm(units, forgetBias, initializer, reverse));

    /// <summary>The last hidden states of two layers of a long short-term memory, the first reading forward, the second backward, side by side.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="forgetBias">The initial bias of the forget gate.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <returns>The hidden states at each row's end and at its first step, [2H].</returns>
    public static Node BidirectionalLstmLast(
        this Node node, int units, Node? lengths = null, double forgetBias = 1, Initializer? initializer = null) =>
        Both(node, lengths, 1, reverse => new Lstm(units, forgetBias, initializer, reverse));

    /// <summary>Several layers of a long short-term memory, each over the hidden states of the layer below it.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="dropout">The probability that an element between two layers is dropped in training.</param>
    /// <param name="bidirectional">Whether each layer reads in both directions.</param>
    /// <param name="forgetBias">The initial bias of the forget gate.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <returns>The hidden states of all steps of the last layer, [T, H] or [T, 2H].</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="layers"/> is below 1 or above 1000, or
    /// <paramref name="dropout"/> outside [0, 1].</exception>
    public static Node StackedLstm(
        this Node node, int units, int layers, Node? lengths = null, double dropout = 0, bool bidirectional = false,
        double forgetBias = 1, Initializer? initializer = null) =>
        Stacked(node, layers, lengths, dropout, bidirectional, 0, reverse => new Lstm(units, forgetBias, initializer, reverse));

    /// <summary>The last hidden state of several layers of a long short-term memory, each over the hidden states of the layer below it.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="dropout">The probability that an element between two layers is dropped in training.</param>
    /// <param name="bidirectional">Whether each layer reads in both directions.</param>
    /// <param name="forgetBias">The initial bias of the forget gate.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <returns>The last hidden state of the last layer, [H] or [2H].</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="layers"/> is below 1 or above 1000, or
    /// <paramref name="dropout"/> outside [0, 1].</exception>
    public static Node StackedLstmLast(
        this Node node, int units, int layers, Node? lengths = null, double dropout = 0, bool bidirectional = false,
        double forgetBias = 1, Initializer? initializer = null) =>
        Stacked(node, layers, lengths, dropout, bidirectional, 1, reverse => new Lstm(units, forgetBias, initializer, reverse));

    /// <summary>A gated recurrent unit over a sequence. <see cref="GruLast"/> gives the last hidden state,
    /// <see cref="GraphBuilder.ApplyAll"/> all outputs.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether the reset gate multiplies after the product with the hidden weight; false: the state before it.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <returns>The hidden states of all steps, [T, H].</returns>
    public static Node Gru(
        this Node node, int units, Node? lengths = null, Initializer? initializer = null, bool resetAfter = true,
        bool reverse = false) =>
        WithLengths(node, new Gru(units, initializer, resetAfter, reverse), lengths)[0];

    /// <summary>The last hidden state of a gated recurrent unit over a sequence, to classify it for example.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether the reset gate multiplies after the product with the hidden weight; false: the state before it.</param>
    /// <param name="reverse">Whether each row is read backward, from its last valid step to its first.</param>
    /// <returns>The hidden state at each row's end, or at its first step if it is read backward, [H].</returns>
    public static Node GruLast(
        this Node node, int units, Node? lengths = null, Initializer? initializer = null, bool resetAfter = true,
        bool reverse = false) =>
        WithLengths(node, new Gru(units, initializer, resetAfter, reverse), lengths)[1];

    /// <summary>Two layers of a gated recurrent unit, the first reading forward, the second backward, side by side.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether the reset gate multiplies after the product with the hidden weight; false: the state before it.</param>
    /// <returns>The hidden states of all steps, [T, 2H].</returns>
    public static Node BidirectionalGru(
        this Node node, int units, Node? lengths = null, Initializer? initializer = null, bool resetAfter = true) =>
        Both(node, lengths, 0, reverse => new Gru(units, initializer, resetAfter, reverse));

    /// <summary>The last hidden states of two layers of a gated recurrent unit, the first reading forward, the second backward, side by side.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether the reset gate multiplies after the product with the hidden weight; false: the state before it.</param>
    /// <returns>The hidden states at each row's end and at its first step, [2H].</returns>
    public static Node BidirectionalGruLast(
        this Node node, int units, Node? lengths = null, Initializer? initializer = null, bool resetAfter = true) =>
        Both(node, lengths, 1, reverse => new Gru(units, initializer, resetAfter, reverse));

    /// <summary>Several layers of a gated recurrent unit, each over the hidden states of the layer below it.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="dropout">The probability that an element between two layers is dropped in training.</param>
    /// <param name="bidirectional">Whether each layer reads in both directions.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether the reset gate multiplies after the product with the hidden weight; false: the state before it.</param>
    /// <returns>The hidden states of all steps of the last layer, [T, H] or [T, 2H].</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="layers"/> is below 1 or above 1000, or
    /// <paramref name="dropout"/> outside [0, 1].</exception>
    public static Node StackedGru(
        this Node node, int units, int layers, Node? lengths = null, double dropout = 0, bool bidirectional = false,
        Initializer? initializer = null, bool resetAfter = true) =>
        Stacked(node, layers, lengths, dropout, bidirectional, 0, reverse => new Gru(units, initializer, resetAfter, reverse));

    /// <summary>The last hidden state of several layers of a gated recurrent unit, each over the hidden states of the layer below it.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="dropout">The probability that an element between two layers is dropped in training.</param>
    /// <param name="bidirectional">Whether each layer reads in both directions.</param>
    /// <param name="initializer">How the weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether the reset gate multiplies after the product with the hidden weight; false: the state before it.</param>
    /// <returns>The last hidden state of the last layer, [H] or [2H].</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="layers"/> is below 1 or above 1000, or
    /// <paramref name="dropout"/> outside [0, 1].</exception>
    public static Node StackedGruLast(
        this Node node, int units, int layers, Node? lengths = null, double dropout = 0, bool bidirectional = false,
        Initializer? initializer = null, bool resetAfter = true) =>
        Stacked(node, layers, lengths, dropout, bidirectional, 1, reverse => new Gru(units, initializer, resetAfter, reverse));

    /// <summary>The largest number of layers of a stack.</summary>
    private const int MostLayers = 1000;

    private static Node Stacked(Node node, int layers, Node? lengths, double dropout, bool bidirectional, int output, Func<bool, Layer> make)
    {
        if (layers is < 1 or > MostLayers)
            throw new ArgumentOutOfRangeException(nameof(layers), layers, $"The layers are 1 to {MostLayers}.");
        if (!(dropout is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(dropout), dropout, "The probability must lie in [0, 1].");
        for (var layer = 1; layer <= layers; layer++)
        {
            var port = layer < layers ? 0 : output;
            node = bidirectional ? Both(node, lengths, port, make) : WithLengths(node, make(false), lengths)[port];
            if (layer < layers && dropout > 0)
                node = node.Dropout(dropout);
        }

        return node;
    }

    /// <summary>One output of a layer that reads forward beside that of one that reads backward.</summary>
    private static Node Both(Node node, Node? lengths, int output, Func<bool, Layer> make) =>
        WithLengths(node, make(false), lengths)[output].Concatenate(WithLengths(node, make(true), lengths)[output]);
}
