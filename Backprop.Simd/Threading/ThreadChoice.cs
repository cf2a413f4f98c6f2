using System.Diagnostics;

namespace Backprop.Simd.Threading;

/// <summary>
/// Times a repeated pass on its team and on the caller alone, and chooses the faster. Results do not depend on the number of threads,
/// so the choice may change at any time.
/// </summary>
/// <remarks>
/// Sharing is expensive because data moves between the caches of the cores, not because of the fork and join. This cost depends on
/// the machine: two threads are almost twice as fast on batches of some dozen rows if the cores share a cache, and slower if they do
/// not. A trial runs blocks of passes, alternately on the team and on the caller alone. The first passes of a block do not count,
/// because their data still lies in the other caches. The fastest block of each kind counts. Trials are repeated, but rarely.
/// </remarks>
internal sealed class ThreadChoice
{
    /// <summary>The passes of a block, and how many of them do not count because they move the data.</summary>
    private const int Block = 8, Settling = 2;

    /// <summary>The blocks of a trial, half of them on the team and half on the caller alone.</summary>
    private const int Blocks = 6;

    /// <summary>
    /// The passes before the first and the second trial, and between later trials. The first trial may still time code that is not
    /// optimized, so the second decides. Later trials follow changes of the machine.
    /// </summary>
    private const int FirstTrial = 8, SecondTrial = 256, Period = 4096;

    private readonly ComputeContext _team;
    private long _passes;
    private long _nextTrial = FirstTrial;
    private int _position = -1;
    private long _started;
    private long _sum;
    private long _bestShared, _bestAlone;
    private bool _alone;

    public ThreadChoice(ComputeContext team)
    {
        _team = team;
        Current = team;
    }

    /// <summary>The context of the current pass.</summary>
    public ComputeContext Current { get; private set; }

    /// <summary>Chooses the context of a pass. <paramref name="measures"/> is true for a pass of full size, whose time may count.</summary>
    public void Begin(bool measures)
    {
        _started = 0;
        if (!measures || _team.Threads == 1 || _team.InlineNanoseconds == 0)
            return;
        if (_position < 0 && _passes >= _nextTrial)
        {
            (_position, _sum) = (0, 0);
            _bestShared = _bestAlone = long.MaxValue;
        }

        var alone = _position < 0 ? _alone : IsAlone(_position);
        Current = alone ? ComputeContext.SingleThreaded : _team;
        if (_position >= 0)
            _started = Stopwatch.GetTimestamp();
    }

    public void End()
    {
        _passes++;
        if (_started != 0)
            Record(Stopwatch.GetTimestamp() - _started);
    }

    private static bool IsAlone(int position) => (position / Block & 1) != 0;

    private void Record(long elapsed)
    {
        var inBlock = _position % Block;
        if (inBlock >= Settling)
            _sum += elapsed;
        if (inBlock == Block - 1)
        {
            if (IsAlone(_position))
                _bestAlone = Math.Min(_bestAlone, _sum);
            else
                _bestShared = Math.Min(_bestShared, _sum);
            _sum = 0;
        }

        if (++_position < Block * Blocks)
            return;
        _position = -1;
        _alone = _bestAlone < _bestShared;
        _nextTrial = _passes < SecondTrial ? SecondTrial : _passes + Period;
    }
}
