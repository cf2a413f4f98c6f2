using System.Reflection;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>Every optimizer can be made for a network or for a number of parameters.</summary>
public sealed class OptimizerConstructorTests
{
    private static readonly Network<float> Network = GraphBuilder.Chain(3).Affine(5).Relu().Affine(2).MeanSquaredError().Build<float>(1);

    /// <summary>Optimizers that need shapes are made for a network only: <see cref="MatrixOptimizerTests"/>.</summary>
    private static bool NeedsShapes(Type type) => type.BaseType!.Name.StartsWith("MatrixOptimizer", StringComparison.Ordinal);

    /// <summary>The optimizers, and what else is made for a number of parameters: the moving average and L-BFGS.</summary>
    public static TheoryData<string> Names => [.. Types.Select(t => t.Name)];

    private static IEnumerable<Type> Types => typeof(Optimizer<>).Assembly.GetExportedTypes()
        .Where(t => t is { Namespace: "Backprop.Simd.Optimizers", IsClass: true, IsAbstract: false, IsGenericType: true })
        .Select(t => t.MakeGenericType(typeof(float)))
        .Where(t => !NeedsShapes(t))
        .Where(t => t.IsAssignableTo(typeof(Optimizer<float>)) || t.GetConstructors().Any(c => c.GetParameters() is [{ Name: "parameterCount" }, ..]));

    [Fact]
    public void All_are_found() => Assert.Superset(
        new HashSet<Type>
        {
            typeof(AdaDelta<float>), typeof(AdaGrad<float>), typeof(AdaMax<float>), typeof(RAdam<float>),
            typeof(Adam<float>), typeof(AdamW<float>), typeof(ExponentialMovingAverage<float>), typeof(Lbfgs<float>),
            typeof(Lion<float>), typeof(NAdam<float>), typeof(RmsProp<float>), typeof(Sgd<float>),
        },
        new HashSet<Type>(Types));

    [Theory]
    [MemberData(nameof(Names))]
    public void The_two_constructors_differ_in_their_first_parameter_only(string name)
    {
        var (byNetwork, byCount) = Constructors(name);
        var (one, other) = (byNetwork.GetParameters(), byCount.GetParameters());
        Assert.Equal((typeof(ITrainable<float>), "network"), (one[0].ParameterType, one[0].Name));
        Assert.Equal(other[1..].Select(Described), one[1..].Select(Described));

        static object Described(System.Reflection.ParameterInfo p) => (p.ParameterType, p.Name, p.HasDefaultValue, p.DefaultValue);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Both_constructors_make_the_same(string name)
    {
        var (byNetwork, byCount) = Constructors(name);
        foreach (var flags in new[] { false, true })
        {
            var arguments = byCount.GetParameters()[1..].Select((p, place) => Argument(p, place, flags)).ToArray();
            object[] both = [byNetwork.Invoke([Network, .. arguments]), byCount.Invoke([Network.Parameters.Length, .. arguments])];
            foreach (var made in both)
            {
                Assert.Equal(Network.Parameters.Length, Property(made, "ParameterCount"));
                foreach (var (parameter, argument) in byCount.GetParameters()[1..].Zip(arguments))
                    Assert.Equal(argument, Property(made, char.ToUpperInvariant(parameter.Name![0]) + parameter.Name[1..]));
            }

            if (both[0] is Optimizer<float> one && both[1] is Optimizer<float> other)
            {
                Assert.Equal(other.StateNames, one.StateNames);
                Assert.All(one.StateNames, block => Assert.Equal(other.State(block).ToArray(), one.State(block).ToArray()));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_network_is_refused_by_name(string name)
    {
        var byNetwork = Constructors(name).ByNetwork;
        object?[] arguments = [null, .. byNetwork.GetParameters()[1..].Select((p, place) => Argument(p, place, false))];
        var refusal = Assert.Throws<TargetInvocationException>(() => byNetwork.Invoke(arguments));
        Assert.Equal("network", Assert.IsType<ArgumentNullException>(refusal.InnerException).ParamName);
    }

    [Fact]
    public void An_optimizer_takes_networks_of_its_own_precision_only()
    {
        Assert.Equal([typeof(ITrainable<float>)], typeof(Network<float>).GetInterfaces());
        Assert.Equal([typeof(ITrainable<double>)], typeof(Network<double>).GetInterfaces());
        Assert.Equal(Network.Parameters.Length, new Sgd<float>(Network, 0.1).ParameterCount);
    }

    private static (ConstructorInfo ByNetwork, ConstructorInfo ByCount) Constructors(string name)
    {
        var all = Types.Single(t => t.Name == name).GetConstructors();
        Assert.Equal(2, all.Length);
        return (all.Single(c => c.GetParameters()[0].ParameterType != typeof(int)), all.Single(c => c.GetParameters()[0].ParameterType == typeof(int)));
    }

    /// <summary>An argument that no other parameter has. Nesterov's form takes no dampening.</summary>
    private static object Argument(System.Reflection.ParameterInfo parameter, int place, bool flags) =>
        parameter.Name == "dampening" && flags ? 0.0
        : parameter.ParameterType == typeof(double) ? 0.125 + place / 64.0
        : parameter.ParameterType == typeof(int) ? 3 + place
        : parameter.ParameterType == typeof(bool) ? flags
        : Enum.GetValues(parameter.ParameterType).GetValue(1)!;

    private static object? Property(object made, string name) => made.GetType().GetProperty(name)!.GetValue(made);
}
