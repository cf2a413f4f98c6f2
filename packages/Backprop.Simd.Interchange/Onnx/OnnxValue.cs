using System.Globalization;

namespace Backprop.Simd.Interchange;

/// <summary>A dimension of an input or output: a size, or the name of one that is free; neither where nothing is said.</summary>
internal readonly record struct OnnxDimension(long? Size, string? Name)
{
    public override string ToString() => Size?.ToString(CultureInfo.InvariantCulture) ?? Name ?? "?";
}

/// <summary>An input or output of a graph: its name, element type and dimensions, null where the file says none.</summary>
internal sealed record OnnxValue(string Name, OnnxType Type, IReadOnlyList<OnnxDimension>? Dimensions)
{
    /// <summary>Reads a ValueInfoProto.</summary>
    public static OnnxValue Parse(ReadOnlyMemory<byte> message)
    {
        var value = new OnnxValue("", 0, null);
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            if (reader.Field == 1)
                value = value with { Name = reader.Text() };
            else if (reader.Field == 2)
                value = value.WithType(reader.Bytes());
        }

        return value;
    }

    /// <summary>A ValueInfoProto.</summary>
    public ProtobufWriter Write()
    {
        var tensor = new ProtobufWriter().Integer(1, (int)Type);
        if (Dimensions is not null)
        {
            var shape = new ProtobufWriter();
            foreach (var dimension in Dimensions)
            {
                shape.Message(1, dimension switch
                {
                    { Size: { } size } => new ProtobufWriter().Integer(1, size),
                    { Name: { } name } => new ProtobufWriter().Text(2, name),
                    _ => new(),
                });
            }

            tensor.Message(2, shape);
        }

        return new ProtobufWriter().Text(1, Name).Message(2, new ProtobufWriter().Message(1, tensor));
    }

    private OnnxValue WithType(ReadOnlyMemory<byte> message)
    {
        var value = this;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            if (reader.Field != 1)
                continue; // sequences, maps, optionals: of no type here
            for (var tensor = new ProtobufReader(reader.Bytes()); tensor.Next();)
            {
                if (tensor.Field == 1)
                    value = value with { Type = (OnnxType)tensor.Int32() };
                else if (tensor.Field == 2)
                    value = value with { Dimensions = Shape(tensor.Bytes()) };
            }
        }

        return value;
    }

    private static List<OnnxDimension> Shape(ReadOnlyMemory<byte> message)
    {
        List<OnnxDimension> dimensions = [];
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            if (reader.Field != 1)
                continue;
            var dimension = new OnnxDimension();
            for (var inner = new ProtobufReader(reader.Bytes()); inner.Next();)
            {
                if (inner.Field == 1)
                    dimension = new(inner.Integer(), null);
                else if (inner.Field == 2)
                    dimension = new(null, inner.Text());
            }

            dimensions.Add(dimension);
        }

        return dimensions;
    }
}
