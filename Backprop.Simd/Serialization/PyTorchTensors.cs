using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>A network as tensors of PyTorch. Each is made when it is read.</summary>
internal sealed class PyTorchTensors<T> : ITensorFile
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<Tensor> _tensors = [];

    public PyTorchTensors(Network<T> network, IReadOnlyDictionary<string, string> names)
    {
        NetworkFiles.RequireDistinctNames(network.Definition);
        var modules = new PyTorchModules(network.Definition, names);
        var taken = new HashSet<string>();
        foreach (var module in modules.All)
        {
            if (module.Obstacle is { } obstacle)
                throw new ArgumentException($"'{module.Name}' has no form in PyTorch: {obstacle}.", nameof(network));
            foreach (var tensor in module.Tensors)
            {
                var name = PyTorchModules.TensorName(modules.NameOf(module), modules.LevelOf(module), tensor.Name);
                if (!taken.Add(name))
                    throw new ArgumentException($"Two tensors would be named '{name}': '{module.Name}' needs a module of its own.", nameof(names));
                _tensors.Add(new Tensor(network, name, tensor));
            }
        }
    }

    public string Origin => "the network";

    public IReadOnlyList<INamedTensor> Tensors => _tensors;

    public bool IsInOrder => true;

    /// <summary>One tensor.</summary>
    internal sealed class Tensor(Network<T> network, string name, ModuleTensor tensor) : INamedTensor
    {
        private readonly long[] _shape = Array.ConvertAll(tensor.Shape, static size => (long)size);

        public string Name => name;

        public TensorType Type => TensorTypes.Of<T>();

        public ReadOnlySpan<long> Shape => _shape;

        public int Count => tensor.Count;

        public void Read<TElement>(Span<TElement> destination, bool allowNarrowing = false)
            where TElement : unmanaged
        {
            if (destination.Length != Count)
                throw new ArgumentException($"'{name}' has {Count} elements; the destination has {destination.Length}.", nameof(destination));
            if (typeof(TElement) == typeof(T))
            {
                tensor.Save(MemoryMarshal.Cast<TElement, T>(destination), network.Parameters, network.State);
                return;
            }

            if (!TensorReading.CanRead<TElement>(Type, allowNarrowing))
                throw new ModelFileException($"'{name}' is {Type.Name()} and cannot be read as {TensorTypes.Of<TElement>().Name()} without loss.");
            var values = new T[Count];
            tensor.Save(values, network.Parameters, network.State);
            TensorReading.Read(new MemoryStream(MemoryMarshal.AsBytes<T>(values).ToArray()), Type, destination);
        }
    }
}
